"""The revision of webhooks, on a database that has been in use."""

import asyncio
import importlib
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy
from alembic.migration import MigrationContext
from alembic.operations import Operations
from photochanger_ingest.testing.client import ApiClient
from photochanger_ingest.testing.worker import Worker
from sqlalchemy.pool import NullPool

from .test_async_jobs import handed_over, has_secret

if TYPE_CHECKING:
    from .conftest import Platform

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


def take_back_and_apply_again(database_url: str) -> None:
    """Runs both directions of the revision."""
    revision = importlib.import_module("photochanger_ingest.migrations.versions.r0007_webhooks")
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database_url), poolclass=NullPool
    )
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        revision.downgrade()
        left = sqlalchemy.inspect(connection).get_table_names()
        assert [name for name in left if name.startswith(("webhook", "task"))] == []
        revision.upgrade()


async def test_a_job_that_was_open_before_there_were_webhooks_ends_as_ever(
    platform: "Platform", client: ApiClient, worker: Worker
) -> None:
    await has_secret(platform, client)
    order = client.order()
    order.webhook_url = "https://studio.example/hook"
    job = (await client.ask(order)).job
    await handed_over(platform, job.id)
    tables = await platform.sql(_TABLES)
    await asyncio.to_thread(take_back_and_apply_again, platform.database_url)
    assert await platform.sql(_TABLES) == tables
    await worker.starts(job.id)
    await worker.finishes(job.id)
    assert (await client.look(job.id)).job.progress_percent == 100
    assert await platform.sql("SELECT FROM webhook_deliveries") == []
