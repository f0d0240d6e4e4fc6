"""Opens all galleries to guests for a short time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_ingest.domain.errors import GalleryNotShared
from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.job import Job

_log = structlog.stdlib.get_logger(__name__)

SHARE_LASTS: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class GalleryShare:
    """Since when, and until when, the galleries are open."""

    requested_at: datetime
    share_until: datetime


@dataclass(frozen=True, slots=True)
class SharedGallery:
    """One slot's unexpired pictures, newest first."""

    slot_id: SlotId
    slot_display_name: str
    jobs: tuple[Job, ...]


class Galleries(Protocol):
    """What is kept of the share, and the pictures it shows."""

    async def save(self, share: GalleryShare, *, requested_by: str) -> None:
        """Stores the share in place of the one before."""
        ...

    async def current(self) -> GalleryShare | None:
        """Returns the last share, over or not."""
        ...

    async def pictures(self, *, now: datetime, per_slot: int) -> Sequence[SharedGallery]:
        """Returns each slot that has an unexpired picture, by slot."""
        ...


class ShareGalleries:
    """Opens the galleries, and shows them while they are open. Holds across replicas and restarts."""

    def __init__(self, galleries: Galleries, clock: Clock) -> None:
        self._galleries = galleries
        self._clock = clock

    async def open(self, *, requested_by: str) -> GalleryShare:
        """Opens the galleries for 15 minutes from now.

        Raises:
            InvalidArgument: nobody is named.
        """
        if not requested_by:
            violation = FieldViolation("requested_by", "who opens the galleries")
            raise InvalidArgument("Say who opens the galleries.", field_violations=(violation,))
        now = self._clock.now()
        share = GalleryShare(requested_at=now, share_until=now + SHARE_LASTS)
        await self._galleries.save(share, requested_by=requested_by)
        _log.info("galleries.shared", requested_by=requested_by)
        return share

    async def list(self, *, per_slot: int) -> tuple[GalleryShare, Sequence[SharedGallery]]:
        """Returns what is open now.

        Raises:
            GalleryNotShared: nothing is.
        """
        now = self._clock.now()
        share = await self._galleries.current()
        if share is None or share.share_until <= now:
            raise GalleryNotShared
        return share, await self._galleries.pictures(now=now, per_slot=per_slot)
