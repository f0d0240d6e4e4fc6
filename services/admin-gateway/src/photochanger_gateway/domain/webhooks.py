"""Webhooks: a client's secret, and what was sent to its receivers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """What may be known of a secret: never the secret itself. `previous_expires_at`: until then the one before signs
    as well; None: it does not.
    """

    created_at: datetime
    previous_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewWebhookSecret:
    """A secret that was just made. `text` is the secret itself, which nobody gets to see again."""

    secret: WebhookSecret
    text: str

    def __repr__(self) -> str:
        """Without the secret, which must not get into a log."""
        return f"NewWebhookSecret({self.secret})"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to a receiver. `url` has no query; None: no answer so far, never sent, not to be sent again."""

    id: str
    client_id: str
    job_id: str
    type: str
    url: str
    state: DeliveryState
    attempts_made: int
    failure_reason: str
    last_status: int | None
    created_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """A message as it was sent once. `status` is the answer's, None without one; `error` is empty where it was well."""

    number: int
    started_at: datetime
    duration: timedelta
    status: int | None
    error: str


@dataclass(frozen=True, slots=True)
class DeliveryDetails:
    """A delivery and its latest attempts, newest first."""

    delivery: Delivery
    attempts: tuple[DeliveryAttempt, ...]
