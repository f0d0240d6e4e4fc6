"""Says whether a slot would take a photo now, before a byte of it is read."""

from dataclasses import dataclass
from typing import Final

from photochanger_chassis.clock import Clock
from photochanger_chassis.ids import Ids

from photochanger_ingest.application.store import Store
from photochanger_ingest.domain.admission import require_place
from photochanger_ingest.domain.errors import SlotNotFound
from photochanger_ingest.domain.ids import JobId, SlotId
from photochanger_ingest.domain.job import JobSource
from photochanger_ingest.domain.settings import Terms
from photochanger_ingest.domain.slot import ResponseMode
from photochanger_ingest.domain.timing import Ticket

FORM_ALLOWANCE_BYTES: Final = 128 * 1024
"""What a declared length may hold beside the photo: 64 KiB of fields, their headers, the boundaries."""


@dataclass(frozen=True, slots=True)
class Admittance:
    """The slot would take the photo, on these terms."""

    ticket: Ticket
    size_limit_bytes: int
    response_mode: ResponseMode


class CheckAdmission:
    """Looks at the head of a request. Nothing is stored and no place is kept."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def __call__(
        self, slot_id: SlotId, *, declared_size_bytes: int | None, source: JobSource = JobSource.INGEST
    ) -> Admittance:
        """Returns the terms, or says why not. An admin may try a slot that is switched off.

        Raises:
            SlotNotFound, SlotDisabled, PayloadTooLarge, SlotBusy, ProviderBusy: see there.
        """
        now = self._clock.now()
        opening = await self._store.opening(slot_id, now)
        if opening is None:
            raise SlotNotFound(slot_id)
        slot = opening.slot
        if source is not JobSource.UI_TEST:
            slot.require_active()
        if declared_size_bytes is not None:
            slot.require_size(declared_size_bytes, allowance_bytes=FORM_ALLOWANCE_BYTES)
        terms = Terms.of(slot, opening.settings)
        deadline = now + terms.sync_response
        require_place(slot.id, slot.plan.provider_id, terms, opening.load, now=now, deadline=deadline)
        ticket = Ticket(JobId(self._ids.new_id()), received_at=now, deadline=deadline)
        return Admittance(ticket, slot.size_limit_bytes, slot.response_mode)
