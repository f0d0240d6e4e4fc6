"""The code that docs/webhooks.md gives to receivers."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from photochanger_ingest.domain.ids import DeliveryId
from photochanger_ingest.domain.webhook_signature import secret_from, signed_headers

PAGE = (Path(__file__).parents[4] / "docs" / "webhooks.md").read_text()
NEW, OLD, OTHER = (secret_from(bytes([number]) * 32) for number in (1, 2, 3))
BODY = '{"type":"job.finished","data":{"message":"Größer"}}'.encode()


def example(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def cases() -> list[tuple[str, dict[str, str], bytes, bool]]:
    """Secrets, headers and bodies, and whether they fit."""
    at = datetime.now(UTC)
    headers = dict(signed_headers(DeliveryId("msg_" + "1" * 32), BODY, at=at, secrets=[NEW, OLD]))
    late = dict(
        signed_headers(
            DeliveryId("msg_" + "1" * 32), BODY, at=datetime.fromtimestamp(1, UTC), secrets=[NEW, OLD]
        )
    )
    return [
        (NEW, headers, BODY, True),
        (OLD, headers, BODY, True),
        (OTHER, headers, BODY, False),
        (NEW, headers, BODY + b" ", False),
        (NEW, {**headers, "webhook-id": "msg_" + "2" * 32}, BODY, False),
        (NEW, {**headers, "webhook-signature": "v1,short"}, BODY, False),
        (NEW, late, BODY, False),
    ]


def test_the_python_example_tells_our_messages_from_others() -> None:
    page: dict[str, Any] = {}
    exec(compile(example("python"), "docs/webhooks.md", "exec"), page)
    verified = page["verified"]
    assert [verified(secret, headers, body) for secret, headers, body, _ in cases()] == [
        wanted for *_, wanted in cases()
    ]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not on this machine.")
def test_the_node_example_does_as_well() -> None:
    given = [[secret, headers, body.decode()] for secret, headers, body, _ in cases()]
    program = (
        example("js")
        + f"\nfor (const [secret, headers, body] of {json.dumps(given)})"
        + " console.log(verified(secret, headers, Buffer.from(body)));"
    )
    ran = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.split() == [str(wanted).lower() for *_, wanted in cases()]
