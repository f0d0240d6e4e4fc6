"""How a job's time is shared out: the provider, then storing and answering, then the camera."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_ingest.domain.ids import JobId

SHORTEST_SYNC_RESPONSE: Final = timedelta(seconds=10)
LONGEST_SYNC_RESPONSE: Final = timedelta(seconds=60)
_SKEW: Final = timedelta(seconds=5)
"""How far two machines' clocks may be apart."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The terms on which a photo is taken: the id its job will have, and its time."""

    job_id: JobId
    received_at: datetime
    deadline: datetime

    def require_sane(self, now: datetime) -> None:
        """Raises `InvalidArgument` for a ticket that cannot have come from `CheckAdmission`."""
        length = self.deadline - self.received_at
        violations = []
        if len(self.job_id) != 32 or not set(self.job_id) <= set("0123456789abcdef"):  # noqa: PLR2004 - 128 bits
            violations.append(FieldViolation("ticket.job_id", "32 lower-case hex digits"))
        if not SHORTEST_SYNC_RESPONSE <= length <= LONGEST_SYNC_RESPONSE:
            violations.append(FieldViolation("ticket.deadline", "10 to 60 s after received_at"))
        if self.received_at > now + _SKEW:
            violations.append(FieldViolation("ticket.received_at", "not in the future"))
        if violations:
            raise InvalidArgument("The ticket is not ours.", field_violations=tuple(violations))


@dataclass(frozen=True, slots=True)
class Reserves:
    """What is kept back from the end of a job's time.

    `store`: for the provider's picture to be stored and told. `original`: in its place, where the camera's own
    photo is to be published when the provider fails. `answer`: for the job's final state to be written and sent,
    part of either.
    """

    store: timedelta = timedelta(seconds=1)
    original: timedelta = timedelta(seconds=3)
    answer: timedelta = timedelta(milliseconds=300)

    def provider_deadline(self, deadline: datetime, *, publishes_original: bool) -> datetime:
        """Returns the instant by which the provider must have answered."""
        return deadline - (self.original if publishes_original else self.store)

    def last_call(self, deadline: datetime, *, publishes_original: bool) -> datetime:
        """Returns the instant at which we stop waiting for the providers service, whatever it does."""
        return deadline - (self.original - self.store + self.answer if publishes_original else self.answer)

    def final_state(self, deadline: datetime) -> datetime:
        """Returns the instant by which the final state has to be written."""
        return deadline - self.answer
