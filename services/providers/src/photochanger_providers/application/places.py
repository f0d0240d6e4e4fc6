"""The limit of calls under way to a provider, over all replicas."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import Unavailable

from photochanger_providers.application.ports import WAKE_PLACES, CallStore, WakeUps
from photochanger_providers.domain.errors import ProviderBusy
from photochanger_providers.domain.order import Order

_log = structlog.stdlib.get_logger(__name__)
_LOOK_AGAIN: Final = timedelta(seconds=1)
_LEAST_USEFUL: Final = timedelta(seconds=2)
"""With less time than this a place is of no use any more."""
_RETRY_AFTER: Final = timedelta(seconds=5)


class Places:
    """Lends a provider's places to jobs, first come first served as far as replicas can agree on that."""

    def __init__(self, *, calls: CallStore, wake_ups: WakeUps, owner: str, clock: Clock) -> None:
        self._calls = calls
        self._wake_ups = wake_ups
        self._owner = owner
        self._clock = clock

    @asynccontextmanager
    async def hold(self, order: Order, limit: int) -> AsyncIterator[None]:
        """Waits for a place, inside the deadline, and holds it while the block runs.

        A place whose holder dies is free again when its lease lapses.

        Raises:
            ProviderBusy: none became free in time.
        """
        with self._wake_ups.subscribe(WAKE_PLACES, order.provider_id) as changed:
            while not await self._entered(order, limit):
                left = order.deadline.remaining(self._clock.now()) - _LEAST_USEFUL
                if left <= timedelta():
                    raise ProviderBusy(order.provider_id, limit, retry_after=_RETRY_AFTER)
                await changed.wait(min(left, _LOOK_AGAIN))
        yield
        # Not in a `finally`: the end of a job gives its place back together with its outcome, so that this is
        # for the others' sake only, and not worth losing a picture for.
        try:
            await self._calls.leave(order, owner=self._owner)
        except Unavailable as error:
            _log.warning("places.not_left", reason=error.reason)

    async def _entered(self, order: Order, limit: int) -> bool:
        try:
            return await self._calls.enter(order, owner=self._owner, limit=limit, now=self._clock.now())
        except Unavailable as error:
            _log.warning("places.not_counted", reason=error.reason)
            return False
