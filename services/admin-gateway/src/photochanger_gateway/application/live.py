"""What happens on the platform, as it happens, for admins who watch."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, Protocol

import structlog
from photochanger_chassis.errors import ServiceError

from photochanger_gateway.application.ports_admin import Slots
from photochanger_gateway.domain.jobs import Job

_log: Final = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the stream of events: after the event of this number. `stream` names the stream as it was made then.

    A stream that was lost and made anew counts from 1 again, under another name. Empty: whichever stream there is.
    """

    sequence: int
    stream: str


class JobStep(StrEnum):
    """What has happened to a job."""

    CREATED = "created"
    STARTED = "started"
    PROGRESSED = "progressed"
    FINISHED = "finished"
    RESULT_KEPT = "result-kept"


@dataclass(frozen=True, slots=True)
class JobChange:
    """Something has happened to a job; it is shown as it was then."""

    step: JobStep
    job: Job


@dataclass(frozen=True, slots=True)
class SlotChange:
    """An admin has changed a slot."""

    slot_id: str
    display_name: str
    version: int
    updated_by: str


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """An admin has changed the platform's settings."""

    version: int


Change = JobChange | SlotChange | SettingsChange


@dataclass(frozen=True, slots=True)
class Happened:
    """The next event."""

    position: Position
    change: Change


@dataclass(frozen=True, slots=True)
class Begun:
    """Whatever happens after this position follows."""

    position: Position


@dataclass(frozen=True, slots=True)
class Missed:
    """Events between the last position and this one are lost: what was shown may be out of date."""

    position: Position


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing has happened for a while, or nobody can say now."""


Followed = Begun | Happened | Missed | Quiet


class Events(Protocol):
    """The stream of events."""

    def follow(self, after: Position | None, *, quiet: timedelta) -> AsyncGenerator[Followed, None]:
        """Yields what happens after a position, from now on for None, in order, each event once, without an end.

        First comes `Begun`, or `Missed` where the position is not in the stream any more; `Quiet` at least once in
        each `quiet` without anything else. An outage of the stream is survived. Close it when done.
        """
        ...


class SlotNames:
    """The slots' names as events tell them: read when somebody begins to watch, and kept up by what happens."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._names: dict[str, str] = {}

    async def read(self) -> None:
        """Reads them anew. Where that fails the known ones stay."""
        try:
            self._names = {slot.id: slot.values.display_name for slot in await self._slots.list()}
        except ServiceError as error:
            _log.info("slot_names.not_read", reason=error.reason)

    def of(self, slot_id: str) -> str:
        """A slot's name, or its id where that is all we know."""
        return self._names.get(slot_id) or slot_id

    def heard(self, change: SlotChange) -> None:
        """Takes the name an event tells."""
        self._names[change.slot_id] = change.display_name
