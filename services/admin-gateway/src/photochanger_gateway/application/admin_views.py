"""What admins look at, put together from what several calls answer."""

import asyncio
from dataclasses import dataclass
from typing import Final

from photochanger_gateway.application.ports import Ingest
from photochanger_gateway.application.ports_admin import Configuration, Slots
from photochanger_gateway.application.side_by_side import first_refusal
from photochanger_gateway.domain.jobs import Job
from photochanger_gateway.domain.slots import Slot, SlotActivity

_RECENT: Final = 10


@dataclass(frozen=True, slots=True)
class SlotSummary:
    """A slot and what goes on in it."""

    slot: Slot
    activity: SlotActivity


@dataclass(frozen=True, slots=True)
class SlotDetail:
    """A slot with its newest pictures and how long its cameras wait now."""

    summary: SlotSummary
    sync_response_seconds: int
    recent: tuple[Job, ...]


class SlotViews:
    """Reads slots as admins look at them."""

    def __init__(self, slots: Slots, configuration: Configuration, ingest: Ingest) -> None:
        self._slots = slots
        self._configuration = configuration
        self._ingest = ingest

    async def all(self) -> tuple[SlotSummary, ...]:
        """All slots by id."""
        with first_refusal():
            async with asyncio.TaskGroup() as tasks:
                slots = tasks.create_task(self._slots.list())
                activity = tasks.create_task(self._slots.activity())
        found = activity.result()
        return tuple(SlotSummary(slot, found.get(slot.id, SlotActivity())) for slot in slots.result())

    async def of(self, slot: Slot) -> SlotDetail:
        """What belongs to a slot as it is known already, just changed for example."""
        with first_refusal():
            async with asyncio.TaskGroup() as tasks:
                activity = tasks.create_task(self._slots.activity())
                gallery = tasks.create_task(self._ingest.list_gallery(slot.id, _RECENT))
                settings = tasks.create_task(self._configuration.get())
        own = slot.values.sync_response_seconds
        return SlotDetail(
            SlotSummary(slot, activity.result().get(slot.id, SlotActivity())),
            settings.result().sync_response_seconds if own is None else own,
            gallery.result().jobs,
        )
