"""Names of things, so that one cannot be taken for another."""

import re
from typing import Final, NewType

DELIVERY_PREFIX: Final = "msg_"
_ID: Final = re.compile(r"[0-9a-f]{32}")

SlotId = NewType("SlotId", str)
"""`slot-001` to `slot-015`."""

JobId = NewType("JobId", str)
"""32 lower-case hex digits; who knows it may see the job's picture."""

ProviderId = NewType("ProviderId", str)
"""A provider's stable name, for example `gemini`."""

OperationId = NewType("OperationId", str)
"""What is asked of a provider, for example `style_transfer`."""

ClientId = NewType("ClientId", str)
"""A client of the public API: the id of its first key."""

ApiKeyId = NewType("ApiKeyId", str)
"""A client's key; never the key itself."""

DeliveryId = NewType("DeliveryId", str)
"""A message to a client's receiver: `msg_` and 32 lower-case hex digits."""

MediaObjectId = NewType("MediaObjectId", str)
"""A file kept by the media service."""


def is_id(text: str) -> bool:
    """Tells whether this has the form of a job's, client's or key's id: 32 lower-case hex digits."""
    return _ID.fullmatch(text) is not None


def is_delivery_id(text: str) -> bool:
    """Tells whether this has the form of a delivery's id."""
    return text.startswith(DELIVERY_PREFIX) and is_id(text.removeprefix(DELIVERY_PREFIX))
