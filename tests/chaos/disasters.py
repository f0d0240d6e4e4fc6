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
    from chaos.watch import Watch


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
_AT_ONCE_SHARE: Final = 0.25
_APART: Final = (15, 45)
_DOWN: Final = 15
_FROZEN_AT_MOST: Final = 80


class Disasters:
    """Lets them happen. `stream_since` is what `History` says of it."""

    def __init__(self, fleet: Fleet, watch: Watch, chance: random.Random) -> None:
        self._fleet = fleet
        self._watch = watch
        self._chance = chance
        self._deck: list[Disaster] = []
        self._rounds = 0
        self._whole: list[Worker] = list(fleet.workers)
        self.happened: Final[Counter[Disaster]] = Counter()
        self.stream_since = 0

    async def run(self) -> None:
        """Goes on until the watch is closing; what is down or frozen then is left to `Fleet.heal`."""
        while not self._watch.closing:
            await self._finished(self._chance.randint(*_APART))
            number = 2 if self._chance.random() < _AT_ONCE_SHARE else 1
            drawn = {self._draw() for _ in range(number)}
            async with asyncio.TaskGroup() as group:
                for disaster in sorted(drawn):
                    if not self._watch.closing:
                        group.create_task(self._happen(disaster))

    def _draw(self) -> Disaster:
        """Takes the next of a shuffled deck: each disaster has its turn, the deletion only once."""
        if not self._deck:
            every = [each for each in Disaster if each is not Disaster.WIPE or self._rounds == 0]
            self._deck = every + (list(_OFTEN) if self._rounds else [])
            self._chance.shuffle(self._deck)
            self._rounds += 1
        return self._deck.pop()

    async def _happen(self, disaster: Disaster) -> None:
        self.happened[disaster] += 1
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

    async def _freeze(self, worker: Worker) -> None:
        before = self._watch.seen.finished
        # In the midst of work, or there would be nothing to take over.
        await self._watch.until(lambda seen: self._watch.closing or worker.id in seen.running.values())
        worker.freeze()
        await self._watch.next()
        await self._watch.until(
            lambda seen: (
                self._watch.closing
                or worker.id not in seen.running.values()
                or seen.finished >= before + _FROZEN_AT_MOST
            )
        )
        worker.thaw()

    async def _finished(self, more: int) -> None:
        """Returns when so many more tasks have ended, or the watch is closing."""
        least = self._watch.seen.finished + more
        await self._watch.until(lambda seen: self._watch.closing or seen.finished >= least)


def _kill_and_start(server: OwnServer) -> None:
    server.kill()
    server.start()
