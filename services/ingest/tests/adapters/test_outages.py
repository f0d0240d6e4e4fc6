"""The database goes away in mid-job and comes back."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from grpc.aio import AioRpcError
from photochanger.ingest.v1 import job_pb2
from photochanger_chassis.grpc.errors import from_rpc_error
from photochanger_ingest.testing.camera import Camera, a_photo
from photochanger_ingest.testing.fakes import answer_at_once
from psycopg.conninfo import conninfo_to_dict, make_conninfo

if TYPE_CHECKING:
    from photochanger.providers.v1 import processing_service_pb2

    from .conftest import Platform


class Line:
    """The way to a server: can be cut, which breaks every connection, and mended."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_reader, other_writer = await asyncio.open_connection(*self._target)
        self._open |= {writer, other_writer}
        await asyncio.gather(self._carry(reader, other_writer), self._carry(other_reader, writer))
        self._open -= {writer, other_writer}

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def line(postgres_url: str) -> AsyncIterator[Line]:
    server = conninfo_to_dict(postgres_url)
    line = Line(str(server["host"]), int(str(server["port"])))
    await line.mend()
    yield line
    await line.cut()


async def run_through_outages(camera: Camera, job_id: str) -> job_pb2.Job:
    """Waits for a job as the gateway does: `RunJob` is repeated while the service says it is unavailable."""
    while True:
        try:
            return await camera.run(job_id)
        except AioRpcError as error:
            if from_rpc_error(error).reason != "DATABASE_UNAVAILABLE":
                raise


@pytest.mark.parametrize("when", ["while the provider works", "when the provider has answered"])
async def test_a_job_survives_an_outage_of_the_database(
    platform: "Platform", line: Line, postgres_url: str, when: str
) -> None:
    answer = asyncio.Event()

    async def held(
        request: "processing_service_pb2.ProcessRequest",
    ) -> "processing_service_pb2.ProcessResponse":
        await answer.wait()
        return await answer_at_once(request)

    platform.outside.providers.script = held
    own_way = platform.at(make_conninfo(postgres_url, host="127.0.0.1", port=line.port))
    camera = (await own_way.start()).camera
    opened = await camera.open(a_photo())
    caller = asyncio.create_task(run_through_outages(camera, opened.job.id))
    await platform.outside.providers.began.wait()
    await line.cut()
    if when == "while the provider works":
        await line.mend()
        answer.set()
    else:
        answer.set()
        # Asked again, the provider's answer is known by now; it cannot be stored yet.
        await platform.outside.providers.answered.wait()
        await line.mend()

    job = await caller
    assert job.state == job_pb2.JOB_STATE_DONE
    assert platform.outside.providers.calls == {job.id: 1}
    events = await platform.sql("SELECT subject FROM outbox ORDER BY position")
    assert [subject for (subject,) in events] == [
        f"events.ingest.job.{what}" for what in ("created", "started", "finished")
    ]
    assert (await camera.send()).state == job_pb2.JOB_STATE_DONE
