"""Signs messages as https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md says."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from photochanger_ingest.domain.ids import DeliveryId

_PREFIX: Final = "whsec_"
_VERSION: Final = "v1"


def secret_from(random_bytes: bytes) -> str:
    """Returns the secret a client gets, made of 24 to 64 random bytes."""
    return _PREFIX + base64.b64encode(random_bytes).decode()


def signed_headers(
    delivery_id: DeliveryId, body: bytes, *, at: datetime, secrets: Sequence[str]
) -> Mapping[str, str]:
    """Returns the headers of one attempt, with a signature by each secret, newest first."""
    timestamp = str(int(at.timestamp()))
    content = b".".join((delivery_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"{_VERSION},{_signature(content, secret)}" for secret in secrets),
    }


def _signature(content: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
