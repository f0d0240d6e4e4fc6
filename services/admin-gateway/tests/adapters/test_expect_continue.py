"""`Expect: 100-continue`: what the head decides is decided before the body is sent."""

import pytest
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.platform import Gateway, Platform, a_gateway, settings_for
from photochanger_gateway.testing.wire import Answer, connected, form, post_photo

BODY = form()


async def refused_on_its_head(port: int, **headers: str) -> Answer:
    """Sends a camera's head only. The first thing that comes back is the final answer, then the end."""
    async with connected(port) as connection:
        await connection.send_photo_head(
            **({"Expect": "100-continue", "Content_Length": str(len(BODY))} | headers)
        )
        answer = await connection.answer()
        assert await connection.rest() == b""
    assert answer.headers["connection"] == "close"
    assert answer.status != 100
    return answer


@pytest.mark.parametrize(
    ("reason", "kind", "expected"),
    [
        ("SLOT_NOT_FOUND", ErrorKind.NOT_FOUND, (404, "slot_not_found")),
        ("SLOT_DISABLED", ErrorKind.FAILED_PRECONDITION, (404, "slot_disabled")),
        ("PAYLOAD_TOO_LARGE", ErrorKind.OUT_OF_RANGE, (413, "payload_too_large")),
        ("SLOT_BUSY", ErrorKind.RESOURCE_EXHAUSTED, (429, "rate_limited")),
        ("PROVIDER_BUSY", ErrorKind.RESOURCE_EXHAUSTED, (429, "rate_limited")),
    ],
)
async def test_what_ingest_refuses_by_the_head_is_refused_before_the_body(
    gateway: Gateway, platform: Platform, reason: str, kind: ErrorKind, expected: tuple[int, str]
) -> None:
    platform.ingest.script.refusals["CheckAdmission"] = a_refusal(reason, kind)
    answer = await refused_on_its_head(gateway.port)
    assert (answer.status, answer.json()["failure_reason"]) == expected
    assert platform.media.uploads == []


async def test_the_declared_length_is_judged_on_the_head(gateway: Gateway, platform: Platform) -> None:
    platform.ingest.size_limit_bytes = 1024 * 1024
    answer = await refused_on_its_head(gateway.port, Content_Length=str(30 * 1024 * 1024))
    assert answer.status == 413


async def test_a_client_over_its_rate_is_refused_before_the_body(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    settings = settings_for(platform, nats_url, ingest_rate_per_minute=1)
    async with a_gateway(settings, clock) as gateway:
        assert (await post_photo(gateway.port)).status == 200
        answer = await refused_on_its_head(gateway.port)
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) == answer.json()["retry_after"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Content_Type": "application/json"}, 400), ({"Idempotency_Key": "x" * 256}, 400)],
    ids=["not a form", "key too long"],
)
async def test_a_head_that_cannot_be_used_is_refused_before_the_body(
    gateway: Gateway, headers: dict[str, str], status: int
) -> None:
    assert (await refused_on_its_head(gateway.port, **headers)).status == status


async def test_a_slot_id_of_the_wrong_form_is_refused_before_the_body(
    gateway: Gateway, platform: Platform
) -> None:
    answer = await refused_on_its_head(gateway.port, path="/api/ingest/slot-016")
    assert (answer.status, answer.json()["failure_reason"]) == (404, "slot_not_found")
    assert platform.ingest.script.calls == []


async def test_the_client_is_told_to_continue_once_the_body_is_wanted(
    gateway: Gateway, platform: Platform
) -> None:
    async with connected(gateway.port) as connection:
        await connection.send_photo_head(Expect="100-continue", Content_Length=str(len(BODY)))
        assert (await connection.head())[0] == 100
        assert len(platform.ingest.script.of("CheckAdmission")) == 1
        await connection.send(BODY)
        assert (await connection.answer()).status == 200


async def test_a_client_that_does_not_wait_is_served_too(gateway: Gateway) -> None:
    async with connected(gateway.port) as connection:
        await connection.send_photo_head(Expect="100-continue", Content_Length=str(len(BODY)))
        await connection.send(BODY)
        statuses = [(await connection.head())[0]]
        if statuses == [100]:
            statuses.append((await connection.head())[0])
        assert statuses[-1] == 200


async def test_a_client_still_sending_when_it_is_refused_reads_the_refusal(
    gateway: Gateway, platform: Platform
) -> None:
    platform.ingest.script.refusals["CheckAdmission"] = a_refusal("SLOT_DISABLED", ErrorKind.NOT_FOUND)
    body = form(("fileToUpload", b"x" * 4_000_000))
    async with connected(gateway.port) as connection:
        await connection.send_photo_head(Content_Length=str(len(body)))
        await connection.send(body)  # a server that just closes resets the connection here
        answer = await connection.answer()
        assert answer.json()["failure_reason"] == "slot_disabled"
        assert await connection.rest() == b""


async def test_the_connection_of_a_served_photo_is_kept(gateway: Gateway) -> None:
    async with connected(gateway.port) as connection:
        for _ in range(2):
            await connection.send_photo_head(Content_Length=str(len(BODY)))
            await connection.send(BODY)
            assert (await connection.answer()).status == 200
