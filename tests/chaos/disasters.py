"""What befalls a fleet, in an order that the seed decides, each time some more tasks have ended."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from photochanger_devstack.testing.servers import OwnServer

if TYPE_CHECKING:
    from chaos.fleet import Fleet, Worker
    from chaos.watch import Seen, Watch


class Disaster(StrEnum):
    """What can happen. All kills are SIGKILL."""

    WORKER = "worker killed"
    FROZEN = "worker frozen"
    """It is silent until others have its tasks, then goes on as if nothing had happened."""
    RELAY = "relay and keeper killed"
    NATS = "NATS killed"
    POSTGRES = "PostgreSQL killed"
    WIPE = "NATS store deleted"


_OFTEN: Final = (Disaster.WORKER, Disaster.WORKER, Disaster.RELAY, Disaster.FROZEN)
_TARGETS: Final = {Disaster.WIPE: Disaster.NATS}
_AT_ONCE_SHARE: Final = 0.25
_APART: Final = (10, 40)
_DOWN: Final = 15
_WHOLE_WORKERS: Final = 1
"""So many workers are left alone at any time, or nothing would end any more, and that is what the storm goes by."""
_FROZEN_TASKS: Final = 3
_FROZEN_AT_MOST: Final = 300


class Disasters:
    """Lets them happen. `stream_since` is what `History` says of it."""

    def __init__(self, fleet: Fleet, watch: Watch, chance: random.Random) -> None:
        self._fleet = fleet
        self._watch = watch
        self._chance = chance
        self._deck: list[Disaster] = []
        self._rounds = 0
        self._whole: list[Worker] = list(fleet.workers)
        self._under_way: set[Disaster] = set()
        self.happened: Final[Counter[Disaster]] = Counter()
        self.stream_since = 0

    async def run(self) -> None:
        """Goes on until the watch is closing; what is down or frozen then is left to `Fleet.heal`."""
        async with asyncio.TaskGroup() as group:
            while not self._watch.closing:
                await self._finished(self._chance.randint(*_APART))
                for _ in range(2 if self._chance.random() < _AT_ONCE_SHARE else 1):
                    disaster = self._draw()
                    if disaster is not None and not self._watch.closing:
                        self._under_way.add(_TARGETS.get(disaster, disaster))
                        self.happened[disaster] += 1
                        group.create_task(self._happen(disaster))

    def _draw(self) -> Disaster | None:
        """Takes the next possible of a shuffled deck: each disaster has its turn, the deletion only once."""
        if not self._deck:
            every = [each for each in Disaster if each is not Disaster.WIPE or self._rounds == 0]
            self._deck = every + (list(_OFTEN) if self._rounds else [])
            self._chance.shuffle(self._deck)
            self._rounds += 1
        possible = next(filter(self._possible, self._deck), None)
        if possible is not None:
            self._deck.remove(possible)
        return possible

    def _possible(self, disaster: Disaster) -> bool:
        if disaster in {Disaster.WORKER, Disaster.FROZEN} and len(self._whole) <= _WHOLE_WORKERS:
            return False
        return _TARGETS.get(disaster, disaster) not in self._under_way

    async def _happen(self, disaster: Disaster) -> None:
        print(f"{self._watch.seen.finished} ended: {disaster}", flush=True)
        fleet = self._fleet
        match disaster:
            case Disaster.WORKER:
                worker = self._whole.pop(self._chance.randrange(len(self._whole)))
                await asyncio.to_thread(worker.kill)
                await self._finished(self._chance.randint(0, _DOWN))
                await asyncio.to_thread(worker.start)
                self._whole.append(worker)
            case Disaster.FROZEN:
                worker = self._whole.pop(self._chance.randrange(len(self._whole)))
                await self._freeze(worker)
                self._whole.append(worker)
            case Disaster.RELAY:
                await asyncio.to_thread(_kill_and_start, fleet.relay)
            case Disaster.NATS:
                await asyncio.to_thread(_kill_and_start, fleet.nats)
            case Disaster.POSTGRES:
                await asyncio.to_thread(_kill_and_start, fleet.postgres)
            case Disaster.WIPE:
                await asyncio.to_thread(fleet.nats.kill)
                await asyncio.to_thread(fleet.nats.wipe)
                await self._watch.next()
                # Whatever gets a higher position can only be published to the new store.
                self.stream_since = self._watch.seen.position
                await asyncio.to_thread(fleet.nats.start)
        self._under_way.discard(_TARGETS.get(disaster, disaster))

    async def _freeze(self, worker: Worker) -> None:
        def has(seen: Seen) -> int:
            return list(seen.running.values()).count(worker.id)

        # In the midst of work, or there would be nothing to take over.
        await self._watch.until(lambda seen: self._watch.closing or has(seen) >= _FROZEN_TASKS)
        worker.freeze()
        before = self._watch.seen.finished
        await self._watch.next()
        # Not for ever: frozen in the midst of a transaction it holds locks, and nobody can take those tasks.
        await self._watch.until(
            lambda seen: self._watch.closing or has(seen) == 0 or seen.finished >= before + _FROZEN_AT_MOST
        )
        worker.thaw()

    async def _finished(self, more: int) -> None:
        """Returns when so many more tasks have ended, or the watch is closing."""
        least = self._watch.seen.finished + more
        await self._watch.until(lambda seen: self._watch.closing or seen.finished >= least)


def _kill_and_start(server: OwnServer) -> None:
    server.kill()
    server.start()
