"""The revision of asynchronous jobs, on a database that has been in use."""

import asyncio
import importlib
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy
from alembic.migration import MigrationContext
from alembic.operations import Operations
from photochanger.ingest.v1 import job_pb2
from photochanger_ingest.testing.camera import Camera, a_photo
from photochanger_ingest.testing.client import ApiClient
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from .conftest import Platform

_INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'jobs' ORDER BY indexname"
_CONSTRAINTS = """
    SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'jobs'::regclass ORDER BY 1
"""


def take_back_and_apply_again(database_url: str) -> None:
    """Runs both directions of the revision."""
    revision = importlib.import_module("photochanger_ingest.migrations.versions.r0006_asynchronous_jobs")
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database_url), poolclass=NullPool
    )
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        revision.downgrade()
        assert "mode" not in {column["name"] for column in sqlalchemy.inspect(connection).get_columns("jobs")}
        assert "api_keys" not in sqlalchemy.inspect(connection).get_table_names()
        revision.upgrade()


async def test_cameras_jobs_of_before_are_what_they_were(
    platform: "Platform", camera: Camera, client: ApiClient
) -> None:
    photo = a_photo()
    done = await camera.send(photo)
    waiting = (await camera.open(a_photo())).job
    async_job = await client.open()
    indexes, constraints = await platform.sql(_INDEXES), await platform.sql(_CONSTRAINTS)
    await asyncio.to_thread(take_back_and_apply_again, platform.database_url)
    assert await platform.sql(_INDEXES) == indexes
    assert await platform.sql(_CONSTRAINTS) == constraints
    assert await camera.get(done.id) == done
    assert await camera.get(waiting.id) == waiting
    # What the tables could not hold before is gone.
    assert async_job.id not in {row[0] for row in await platform.sql("SELECT id FROM jobs")}
    assert (await camera.open(photo)).job.id == done.id
    assert (await client.open()).state == job_pb2.JOB_STATE_PENDING
