"""`python -m bench.statistics`: how long statistics over a million jobs take, and what counting costs each job.

Beside it, in the same run, the obvious query: an aggregate over the jobs of the window.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import grpc.aio
import structlog
from photochanger.ingest.v1 import statistics_service_pb2 as pb
from photochanger.ingest.v1.statistics_service_pb2_grpc import StatisticsServiceStub
from photochanger_chassis.clock import SystemClock
from photochanger_chassis.postgres.migrate import migrate
from photochanger_chassis.settings import PostgresSettings
from photochanger_devstack.testing.run import Run
from photochanger_devstack.testing.servers import OwnPostgres, new_address
from photochanger_ingest.main import MIGRATIONS, open_ingest
from photochanger_ingest.migrations.versions.r0004_statistics import BACKFILL
from photochanger_ingest.settings import IngestSettings
from prometheus_client import CollectorRegistry
from psycopg import AsyncConnection
from pydantic import SecretStr

RESULTS: Final = Path(__file__).parent / "results"
WINDOWS: Final = {
    "5 min": timedelta(minutes=5),
    "60 min": timedelta(hours=1),
    "3 days": timedelta(days=3),
}
NOWHERE: Final = "127.0.0.1:1"

# 2 % failed, 1.5 % out of time; durations around 4 s, as an outside provider takes them.
FILL: Final = """
    INSERT INTO jobs (id, slot_id, slot_version, state, source, provider_id, operation_id, received_at, created_at,
        started_at, finished_at, deadline, failure_reason, failure_message, result, result_origin,
        result_expires_at, input_media_object_id, input_sha256, input_size_bytes, hash_check, plan, result_retention)
    SELECT md5(number::text), slot_id, 1, state, 'ingest', 'gemini', 'image_edit', finished_at - took,
        finished_at - took, finished_at - took, finished_at, finished_at - took + interval '60 s',
        CASE state WHEN 'failed' THEN 'quota' WHEN 'timeout' THEN 'timeout' END,
        CASE WHEN state <> 'done' THEN 'It could not.' END,
        CASE state WHEN 'done' THEN '{}'::jsonb END, CASE state WHEN 'done' THEN 'provider' END,
        CASE state WHEN 'done' THEN finished_at + interval '72 h' END,
        md5(number::text), repeat(md5(number::text), 2), 5000000, 'match', '{}', '72 h'
    FROM (
        SELECT number, 'slot-' || lpad((1 + mod(number, 15))::text, 3, '0') AS slot_id,
            CASE WHEN random() < 0.02 THEN 'failed' WHEN random() < 0.015 THEN 'timeout' ELSE 'done' END AS state,
            now() - interval '3 days' * (1 - number::float8 / %(jobs)s) AS finished_at,
            interval '1 s' * least(55, exp(random_normal(1.4, 0.5))) AS took
        FROM generate_series(1, %(jobs)s) AS number
    ) AS drawn
"""
BASELINE: Final = """
    SELECT slot_id, count(*), count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'failed'),
        count(*) FILTER (WHERE state = 'timeout'), max(finished_at) FILTER (WHERE state = 'done'),
        percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY finished_at - received_at)
            FILTER (WHERE state = 'done')
    FROM jobs WHERE source = 'ingest' AND finished_at >= %(starts_at)s GROUP BY slot_id
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints a table and writes JSON into bench/results/."""
    parser = argparse.ArgumentParser("bench.statistics", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000, help="jobs over three days (1,000,000)")
    parser.add_argument(
        "--ends", type=int, default=1_600, help="jobs ended with counting, and without (1,600)"
    )
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    run, controller = Run.begin()
    try:
        server = OwnPostgres(run, run.folder / "postgres", new_address())
        server.start()
        found = asyncio.run(_measure(server.create_database("ingest"), options.jobs, options.ends))
        server.stop()
    finally:
        run.finish(controller)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-statistics.json"
    path.write_text(json.dumps(found, indent=2) + "\n")


async def _measure(url: str, jobs: int, ends: int) -> dict[str, object]:
    settings = PostgresSettings(database_url=SecretStr(url))
    await asyncio.to_thread(migrate, settings, MIGRATIONS)
    async with AsyncExitStack() as stack:
        conn = await stack.enter_async_context(await AsyncConnection.connect(url, autocommit=True))
        filled, backfilled = await _fill(conn, jobs)
        print(f"{jobs:,} jobs stored in {filled:.0f} s, counted by the migration in {backfilled:.1f} s\n")
        windows = await _served(url, conn)
        print(f"\nload {os.getloadavg()[0]:.0f}")
        # By now ingest is gone: its sweeper would end the jobs that are to be ended here.
        counting = await _counting(conn, url, ends)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "jobs": jobs,
        "load": os.getloadavg()[0],
        "windows_ms": windows,
        "ends_ms": counting,
    }


async def _served(url: str, conn: AsyncConnection) -> dict[str, object]:
    """Opens ingest, alone in the world, and asks it as the gateway does."""
    settings = IngestSettings(
        database_url=SecretStr(url),
        nats_url=SecretStr(f"nats://{NOWHERE}"),
        providers_target=NOWHERE,
        media_target=NOWHERE,
        grpc_listen="127.0.0.1:0",
    )
    async with (
        open_ingest(settings, clock=SystemClock(), registry=CollectorRegistry()) as ingest,
        grpc.aio.insecure_channel(f"127.0.0.1:{ingest.server.port}") as channel,
    ):
        return await _windows(StatisticsServiceStub(channel), conn)


async def _fill(conn: AsyncConnection, jobs: int) -> tuple[float, float]:
    """Stores jobs as they would be after three days, and counts them as the migration does."""
    started = time.perf_counter()
    await conn.execute("ALTER TABLE jobs DISABLE TRIGGER count_finished_job")
    await conn.execute(FILL, {"jobs": jobs})
    await conn.execute("ALTER TABLE jobs ENABLE TRIGGER count_finished_job")
    filled = time.perf_counter()
    await conn.execute(BACKFILL)
    counted = time.perf_counter()
    await conn.execute("VACUUM ANALYZE")
    return filled - started, counted - filled


async def _windows(stub: StatisticsServiceStub, conn: AsyncConnection) -> dict[str, object]:
    found: dict[str, object] = {}
    print(
        "| window | GetStatistics p50 / p95 | GetStatisticsSeries p50 / p95 | aggregate over jobs p50 / p95 |"
    )
    print("|---|---|---|---|")
    for name, length in WINDOWS.items():
        request, series = pb.GetStatisticsRequest(failures=20), pb.GetStatisticsSeriesRequest()
        request.window.FromTimedelta(length)
        series.window.FromTimedelta(length)

        async def overview(request: pb.GetStatisticsRequest = request) -> pb.GetStatisticsResponse:
            return await stub.GetStatistics(request, timeout=60)

        async def chart(request: pb.GetStatisticsSeriesRequest = series) -> object:
            return await stub.GetStatisticsSeries(request, timeout=60)

        async def baseline(starts_at: datetime) -> int:
            cursor = await conn.execute(BASELINE, {"starts_at": starts_at})
            return sum(row[1] for row in await cursor.fetchall())

        answer = await overview()
        starts_at = answer.starts_at.ToDatetime(UTC)
        if answer.total.finished != await baseline(starts_at):
            raise AssertionError("The counts differ from those of the jobs.")

        async def aggregate(starts_at: datetime = starts_at) -> int:
            return await baseline(starts_at)

        times = [await _timed(overview, 60), await _timed(chart, 60), await _timed(aggregate, 12)]
        print(f"| {name} | " + " | ".join(f"{p50:.1f} / {p95:.1f} ms" for p50, p95 in times) + " |")
        found[name] = dict(zip(("overview", "series", "aggregate"), times, strict=True))
    return found


async def _timed(call: Callable[[], Awaitable[object]], times: int) -> tuple[float, float]:
    """Returns median and 95th percentile in milliseconds, after two calls to warm up."""
    took = []
    for number in range(times + 2):
        started = time.perf_counter()
        await call()
        if number >= 2:
            took.append((time.perf_counter() - started) * 1000)
    return _rank(took, 0.5), _rank(took, 0.95)


def _rank(values: Sequence[float], share: float) -> float:
    return sorted(values)[math.ceil(len(values) * share) - 1]


async def _counting(conn: AsyncConnection, url: str, ends: int) -> dict[str, object]:
    """Ends jobs of one slot as ingest does, with and without counting, one at a time and eight at once."""
    found: dict[str, object] = {}
    print(
        f"\n| {ends} jobs of one slot end | not counted p50 / p95, rate | counted p50 / p95, rate |\n|---|---|---|"
    )
    for at_once in (1, 8):
        cells = []
        # In turns, so that neither has the quieter machine.
        took: dict[bool, list[float]] = {False: [], True: []}
        seconds = {False: 0.0, True: 0.0}
        for turn in range(8):
            counted = turn % 2 == 1
            await conn.execute(
                f"ALTER TABLE jobs {'ENABLE' if counted else 'DISABLE'} TRIGGER count_finished_job"
            )
            cursor = await conn.execute(
                "UPDATE jobs SET state = 'running', finished_at = NULL, result = NULL, result_origin = NULL "
                "WHERE id IN (SELECT id FROM jobs WHERE slot_id = 'slot-001' AND state = 'done' LIMIT %s) RETURNING id",
                (ends // 4,),
            )
            ids = [str(row[0]) for row in await cursor.fetchall()]
            started = time.perf_counter()
            ended = await asyncio.gather(*(_end(url, ids[number::at_once]) for number in range(at_once)))
            seconds[counted] += time.perf_counter() - started
            took[counted] += [each for some in ended for each in some]
        for counted in (False, True):
            rate = len(took[counted]) / seconds[counted]
            p50, p95 = _rank(took[counted], 0.5), _rank(took[counted], 0.95)
            cells.append(f"{p50:.2f} / {p95:.2f} ms, {rate:.0f}/s")
            found[f"{at_once} at once, {'counted' if counted else 'not counted'}"] = [p50, p95, rate]
        print(f"| {at_once} at once | " + " | ".join(cells) + " |")
    return found


async def _end(url: str, job_ids: Sequence[str]) -> list[float]:
    took = []
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        for job_id in job_ids:
            started = time.perf_counter()
            async with conn.transaction():
                await conn.execute("SELECT state FROM jobs WHERE id = %s FOR NO KEY UPDATE", (job_id,))
                await conn.execute(
                    "UPDATE jobs SET state = 'done', finished_at = now(), result = '{}', "
                    "result_origin = 'provider' WHERE id = %s",
                    (job_id,),
                )
                await conn.execute("SELECT pg_notify('job_changed', %s)", (job_id,))
            took.append((time.perf_counter() - started) * 1000)
    return took


if __name__ == "__main__":
    main()
