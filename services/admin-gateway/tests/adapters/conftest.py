"""A real gateway and real NATS over fake services, with a clock that tests move."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import randbelow

import pytest
import structlog
from fastapi import FastAPI
from photochanger_chassis.logging import redact_secrets, shorten_ids
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.adapters.http.operations import Readiness
from photochanger_gateway.main import SHORT_IN_LOGS, wire
from photochanger_gateway.testing.accounts import bearer, write_account
from photochanger_gateway.testing.admin_api import AdminApi
from photochanger_gateway.testing.platform import Gateway, Platform, a_gateway, a_platform, settings_for
from prometheus_client import CollectorRegistry
from structlog.typing import EventDict, WrappedLogger


@pytest.fixture(autouse=True)
def log_lines() -> Iterator[list[str]]:
    """Every log line of the test, as production would print it."""
    lines: list[str] = []

    def keep(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        lines.append(json.dumps(event, default=str))
        raise structlog.DropEvent

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            redact_secrets,
            shorten_ids(SHORT_IN_LOGS),
            keep,
        ]
    )
    yield lines
    structlog.reset_defaults()


@pytest.fixture
def clock() -> ManualClock:
    """Starts at some hour of its own: rate limits of one NATS are counted apart for each test."""
    return ManualClock(datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(hours=randbelow(200_000)))


@pytest.fixture
async def platform(clock: ManualClock) -> AsyncIterator[Platform]:
    """The fakes, running."""
    async with a_platform(clock) as platform:
        yield platform


@pytest.fixture
def credentials_file(tmp_path: Path) -> Path:
    """One account, `serg`."""
    path = tmp_path / "credentials.json"
    write_account(path)
    return path


@pytest.fixture
async def gateway(
    platform: Platform, clock: ManualClock, nats_url: str, credentials_file: Path
) -> AsyncIterator[Gateway]:
    """A gateway with settings as they come, and one account."""
    settings = settings_for(platform, nats_url, credentials_file=credentials_file)
    async with a_gateway(settings, clock) as gateway:
        yield gateway


@pytest.fixture
async def app(platform: Platform, clock: ManualClock, nats_url: str) -> AsyncIterator[FastAPI]:
    """The application, not served: for what there is to tell of its routes."""
    async with AsyncExitStack() as stack:
        wired = await wire(
            settings_for(platform, nats_url), stack, Readiness(), clock=clock, registry=CollectorRegistry()
        )
        yield wired.app


@pytest.fixture
async def admin(gateway: Gateway) -> dict[str, str]:
    """Headers of an API client that `serg` has signed in with."""
    return await bearer(gateway.port)


@pytest.fixture
def api(gateway: Gateway, admin: dict[str, str]) -> AdminApi:
    """The admins' API, as `serg` uses it."""
    return AdminApi(gateway.port, admin)
