"""A provider's places for workers' tasks. Cameras go first: a task that finds none comes again later."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import Unavailable

from photochanger_providers.application.ports import Pause, TaskPlaceStore
from photochanger_providers.domain.errors import ProviderBusy
from photochanger_providers.domain.order import JobId, Order

_log = structlog.stdlib.get_logger(__name__)
_RETRY_AFTER: Final = timedelta(seconds=5)
_LEASE: Final = timedelta(seconds=15)
_BEAT: Final = timedelta(seconds=5)
_LEFTOVERS: Final = timedelta(minutes=1)


class TaskPlaces:
    """Lends places to the tasks of one worker."""

    def __init__(self, *, store: TaskPlaceStore, owner: str, clock: Clock, pause: Pause) -> None:
        self._store = store
        self._owner = owner
        self._clock = clock
        self._pause = pause
        self._held: set[JobId] = set()

    @asynccontextmanager
    async def hold(self, order: Order, limit: int) -> AsyncIterator[None]:
        """Holds a place while the block runs. Does not wait for one: a worker has other things to do.

        Raises:
            ProviderBusy: none is free, or somebody who waits comes first.
            Unavailable: the database cannot be asked.
        """
        now = self._clock.now()
        if not await self._store.take(
            order, owner=self._owner, limit=limit, now=now, lease_until=now + _LEASE
        ):
            raise ProviderBusy(order.provider_id, limit, retry_after=_RETRY_AFTER)
        self._held.add(order.job_id)
        try:
            yield
        finally:
            self._held.discard(order.job_id)
            await self._given_back(order)

    async def keep(self) -> None:
        """Renews this worker's places for ever, and removes those that dead ones left."""
        while True:
            now = self._clock.now()
            try:
                if self._held:
                    await self._store.renew(
                        frozenset(self._held), owner=self._owner, lease_until=now + _LEASE
                    )
                await self._store.forget_lapsed(before=now - _LEFTOVERS)
            except Unavailable as error:
                _log.info("places.not_renewed", reason=error.reason)
            await self._pause(_BEAT)

    async def _given_back(self, order: Order) -> None:
        try:
            await self._store.give_back(order, owner=self._owner)
        except Unavailable as error:
            _log.warning("places.not_left", reason=error.reason)
