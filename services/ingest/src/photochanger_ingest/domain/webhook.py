"""Messages to API clients' receivers: how often they are sent, and what ends it.

The rules are those of https://www.standardwebhooks.com.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from photochanger_ingest.domain.ids import ClientId, DeliveryId, JobId

USUAL_PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
_JITTER: Final = 0.1
_GOOD: Final = range(200, 300)
_GONE: Final = 410


class DeliveryState(StrEnum):
    """Where a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class SendError(StrEnum):
    """What went wrong with one attempt."""

    HTTP_STATUS = "HTTP_STATUS"
    TIMEOUT = "TIMEOUT"
    CONNECTION = "CONNECTION"
    TLS = "TLS"
    NAME_NOT_FOUND = "NAME_NOT_FOUND"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"


class GivenUp(StrEnum):
    """Why a delivery has failed."""

    GONE = "GONE"
    SWITCHED_OFF = "SWITCHED_OFF"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    CLIENT_REVOKED = "CLIENT_REVOKED"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Again:
    """It is sent again after a pause."""

    pause: timedelta


Verdict = Delivered | GivenUp | Again
"""What follows from an attempt."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to a receiver. `attempts` counts all of them, over all resends."""

    id: DeliveryId
    client_id: ClientId
    job_id: JobId
    type: str
    url: str
    state: DeliveryState
    created_at: datetime
    attempts: int = 0
    failure: GivenUp | None = None
    last_status: int | None = None
    last_attempt_at: datetime | None = None
    next_attempt_at: datetime | None = None

    @property
    def shown_url(self) -> str:
        """Where it goes, without the query, which may hold a secret of the client's."""
        return self.url.partition("#")[0].partition("?")[0]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it was sent once. No status: there was no answer; no error: it is one the receiver has."""

    started_at: datetime
    duration: timedelta
    status: int | None = None
    error: SendError | None = None
    retry_after: timedelta | None = None

    @classmethod
    def answered(
        cls, status: int, *, started_at: datetime, duration: timedelta, retry_after: timedelta | None
    ) -> "Sent":
        """Returns an attempt that got an answer: any but 2xx, redirects included, is a failure."""
        error = None if status in _GOOD else SendError.HTTP_STATUS
        return cls(started_at, duration, status, error, retry_after)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt in the log, numbered from 1 over all resends."""

    number: int
    sent: Sent


@dataclass(frozen=True, slots=True)
class Schedule:
    """The pauses after failures: one attempt more than there are pauses."""

    pauses: tuple[timedelta, ...] = USUAL_PAUSES

    @property
    def life(self) -> timedelta:
        """How long all attempts may take: whatever is pending then will not be sent any more."""
        return sum((max(pause * 2, LONGEST_RETRY_AFTER) for pause in self.pauses), LONGEST_RETRY_AFTER)

    def verdict(self, sent: Sent, *, tries: int, chance: Callable[[], float]) -> Verdict:
        """Returns what follows from an attempt, the `tries`-th (from 1) since the last resend.

        The pause is spread by 10 percent either way, so that receivers that were down together do not get
        everything at once; `chance` gives 0 to 1.
        """
        if sent.error is None:
            return Delivered()
        if sent.status == _GONE:
            return GivenUp.GONE
        if sent.error is SendError.ADDRESS_REFUSED:
            return GivenUp.ADDRESS_REFUSED
        if tries > len(self.pauses):
            return GivenUp.ATTEMPTS_EXHAUSTED
        pause = self.pauses[tries - 1] * (1 - _JITTER + 2 * _JITTER * chance())
        asked = min(sent.retry_after or timedelta(), LONGEST_RETRY_AFTER)
        return Again(max(pause, asked))
