"""An engine to test with: all its parts in one process on given servers, or a worker as a process of its own.

For tests only. `python -m photochanger_tasks.testing MODULE:FACTORY` runs a worker: see `worker_process`.
"""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import psycopg
from photochanger_chassis.clock import Clock, SystemClock
from photochanger_chassis.ids import Ids, RandomIds
from photochanger_chassis.lifecycle import cancel_until_done, run_service, run_until_stopped
from photochanger_chassis.nats.connection import NatsConnection, open_nats
from photochanger_chassis.nats.events import EventPublisher
from photochanger_chassis.postgres import outbox
from photochanger_chassis.postgres.notify import Notifications, open_notifications
from photochanger_chassis.postgres.outbox import OutboxRelay
from photochanger_chassis.postgres.pool import Pool, connection, open_pool, transaction
from photochanger_chassis.settings import NatsSettings, PostgresSettings
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from photochanger_tasks.guards import Guard, Limits
from photochanger_tasks.keeper import Keeper
from photochanger_tasks.kinds import Kinds, NewTask
from photochanger_tasks.leases import CANCEL_CHANNEL
from photochanger_tasks.machine import Load
from photochanger_tasks.metrics import TaskMetrics
from photochanger_tasks.model import Submitted, Task
from photochanger_tasks.nats.stream import TicketPublisher, tickets_there
from photochanger_tasks.pipelines import Pipelines
from photochanger_tasks.postgres.rows import task_row
from photochanger_tasks.schema import create_task_tables
from photochanger_tasks.tasks import Tasks
from photochanger_tasks.worker import Worker, WorkerOptions

_LOOK_SECONDS: Final = 0.02


def create_tables(postgres_url: str) -> None:
    """Creates the outbox and the engine's tables in an empty database. Blocking."""
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(outbox.create_outbox_table())
        conn.execute(create_task_tables())


def idle_machine() -> Load:
    """A machine with nothing to do, so that tests do not depend on the real one."""
    return Load(memory=0.1, cpu=0.1, free_bytes=8 << 30)


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine whose parts a test runs, or calls one by one."""

    pool: Pool
    nats: NatsConnection
    notifications: Notifications
    clock: Clock
    tasks: Tasks
    pipelines: Pipelines
    keeper: Keeper
    relay: OutboxRelay

    async def submit(self, *new: NewTask) -> list[Submitted]:
        """Submits tasks in one transaction."""
        async with transaction(self.pool) as conn:
            return await self.tasks.submit_all(conn, new)

    def worker(
        self,
        slots: Mapping[str, int],
        *,
        worker_id: str = "worker",
        grace: timedelta = timedelta(seconds=5),
        lease: timedelta = timedelta(seconds=15),
    ) -> Worker:
        """Makes a worker on a machine that has nothing else to do."""
        options = WorkerOptions(slots=slots, grace=grace, lease=lease)
        return Worker(
            worker_id=worker_id,
            pool=self.pool,
            nats=self.nats,
            notifications=self.notifications,
            tasks=self.tasks,
            clock=self.clock,
            options=options,
            guard=Guard(Limits(), idle_machine),
        )

    @asynccontextmanager
    async def working(
        self, *workers: Worker, relay: bool = True, keeper: bool = False
    ) -> AsyncIterator[None]:
        """Runs workers, the relay and the keeper while the block runs; then they drain."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(self.relay.run())] if relay else []
            background += [group.create_task(self.keeper.run())] if keeper else []
            running = [group.create_task(worker.run(stop)) for worker in workers]
            try:
                yield
            finally:
                stop.set()
                if running:
                    await asyncio.wait(running)
                await cancel_until_done(*background)

    async def until(
        self, condition: Callable[[Task], bool], *task_ids: str, within: timedelta = timedelta(seconds=30)
    ) -> list[Task]:
        """Waits until a condition holds for all of these tasks, and returns them. The limit claims no speed."""
        async with asyncio.timeout(within.total_seconds()):
            while True:
                found = await self._look(task_ids)
                if all(map(condition, found)):
                    return found
                await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self, task_ids: Sequence[str]) -> list[Task]:
        async with connection(self.pool) as conn, conn.cursor(row_factory=task_row) as cursor:
            await cursor.execute("SELECT * FROM tasks WHERE id = ANY(%s)", (list(task_ids),))
            found = {task.id: task for task in await cursor.fetchall()}
        return [found[task_id] for task_id in task_ids]

    async def until_tickets(self, queue: str, number: int, within: timedelta = timedelta(seconds=30)) -> None:
        """Waits until JetStream has that many tickets of a queue, those in workers' hands included."""
        async with asyncio.timeout(within.total_seconds()):
            while await tickets_there(self.nats, queue) != number:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(_LOOK_SECONDS)

    async def ended(self, *task_ids: str, within: timedelta = timedelta(seconds=30)) -> list[Task]:
        """Waits until these tasks have ended, and returns them."""
        return await self.until(lambda task: task.state.finished, *task_ids, within=within)


@asynccontextmanager
async def engine(
    kinds: Kinds,
    *,
    postgres_url: str,
    nats_url: str,
    clock: Clock | None = None,
    ids: Ids | None = None,
    connections: int = 10,
    lease: timedelta = timedelta(seconds=15),
    reconcile: timedelta = timedelta(seconds=5),
) -> AsyncIterator[Engine]:
    """Opens an engine on a database that has its tables. `lease` is what the keeper takes for the workers'."""
    postgres = PostgresSettings(database_url=SecretStr(postgres_url), database_pool_max=connections)
    used_clock, used_ids = clock or SystemClock(), ids or RandomIds()
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(postgres, application="tasks"))
        nats = await stack.enter_async_context(
            open_nats(NatsSettings(nats_url=SecretStr(nats_url)), service="tasks")
        )
        notifications = await stack.enter_async_context(
            open_notifications(postgres, application="tasks", channels=[outbox.CHANNEL, CANCEL_CHANNEL])
        )
        await notifications.listening()
        await nats.connected.wait()
        tasks = Tasks(pool, used_clock, used_ids, kinds, TaskMetrics(CollectorRegistry()))
        publisher = TicketPublisher(nats, EventPublisher(nats, service=kinds.context))
        yield Engine(
            pool=pool,
            nats=nats,
            notifications=notifications,
            clock=used_clock,
            tasks=tasks,
            pipelines=Pipelines(tasks, used_clock, used_ids),
            keeper=Keeper(pool, nats, tasks, used_clock, lease=lease, reconcile=reconcile),
            relay=OutboxRelay(pool, publisher, notifications),
        )


def worker_process(
    factory: str,
    *,
    postgres_url: str,
    nats_url: str,
    slots: Mapping[str, int],
    parts: Iterable[str] = ("worker", "relay", "keeper"),
    worker_id: str = "worker",
    lease: timedelta = timedelta(seconds=15),
    crash_at: str = "",
) -> tuple[list[str], dict[str, str]]:
    """Returns the command line and environment of a process that runs parts of an engine.

    It stops in order at SIGTERM and may be killed. `factory` is `module:function`; the function takes the pool and
    returns the `Kinds`. Without `worker` in `parts`, `slots` may be empty. `crash_at` names a place where it dies:
    `tasks.after_claim`, `tasks.before_end`, `tasks.after_end`, `outbox.before_publish`, `outbox.after_publish`.
    """
    environment = {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ},
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DATABASE_URL": postgres_url,
        "NATS_URL": nats_url,
        "TASKS_TEST_PARTS": ",".join(parts),
        "TASKS_TEST_SLOTS": ",".join(f"{queue}={number}" for queue, number in slots.items()),
        "TASKS_TEST_WORKER": worker_id,
        "TASKS_TEST_LEASE": str(lease.total_seconds()),
        "CRASH_AT": crash_at,
    }
    return [sys.executable, "-m", "photochanger_tasks.testing", factory], environment


async def _main(stop: asyncio.Event) -> None:
    module, _, name = sys.argv[1].partition(":")
    factory = getattr(importlib.import_module(module), name)
    parts = os.environ["TASKS_TEST_PARTS"].split(",")
    slots = {
        queue: int(number)
        for queue, _, number in (pair.partition("=") for pair in os.environ["TASKS_TEST_SLOTS"].split(","))
        if queue
    }
    postgres = PostgresSettings(database_url=SecretStr(os.environ["DATABASE_URL"]))
    async with open_pool(postgres, application="factory") as own_pool:
        kinds: Kinds = factory(own_pool)
        lease = timedelta(seconds=float(os.environ["TASKS_TEST_LEASE"]))
        async with engine(
            kinds,
            postgres_url=os.environ["DATABASE_URL"],
            nats_url=os.environ["NATS_URL"],
            lease=lease,
        ) as opened:
            worker_id = f"{os.environ['TASKS_TEST_WORKER']}-{os.getpid()}"
            background = []
            if "relay" in parts:
                background.append(opened.relay.run())
            if "keeper" in parts:
                background.append(opened.keeper.run())
            if "worker" in parts:
                background.append(opened.worker(slots, worker_id=worker_id, lease=lease).run(stop))
            await run_until_stopped(stop, *background)


if __name__ == "__main__":
    run_service(_main)
