"""An engine on real servers. Each test has a database and queues of its own; the NATS server is shared."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from photochanger_chassis.clock import Clock
from photochanger_devstack.testing.servers import SharedServers
from photochanger_tasks import Kinds, PipelineKind, Queue, TaskKind
from photochanger_tasks.kinds import AnyKind
from photochanger_tasks.testing import Engine, create_tables, engine

Open = Callable[..., AbstractAsyncContextManager[Engine]]


@pytest.fixture
def queue() -> str:
    return f"q{uuid4().hex[:12]}"


@pytest.fixture
def kind(queue: str) -> TaskKind[StringValue]:
    return TaskKind(name="say", queue=queue, payload=StringValue)


@pytest.fixture(scope="session")
def postgres_template(shared_servers: SharedServers) -> str:
    """Has its tables, made once in the run."""
    return shared_servers.template("tasks", create_tables)


@pytest.fixture
def open_engine(postgres_url: str, nats_url: str, queue: str) -> Open:
    @asynccontextmanager
    async def opened(
        *kinds: AnyKind,
        clock: Clock | None = None,
        pipelines: tuple[PipelineKind, ...] = (),
        limit: int = 1000,
        nats: str = nats_url,
        **options: Any,
    ) -> AsyncIterator[Engine]:
        known = Kinds.of("test", *kinds, pipelines=pipelines, queues=[Queue(queue, limit)])
        async with engine(known, postgres_url=postgres_url, nats_url=nats, clock=clock, **options) as made:
            yield made

    return opened
