"""Many clients, few places: whose turn it is, what waits, what is given up, and who decides about it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from harness.admin_api import AdminApi, admin_api
from harness.platform import Platform, open_platform
from harness.program import Program, a_program
from harness.waiting import until
from photochanger_mockproviders import GeminiKnob, Match

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from photochanger_devstack.testing.run import Run
    from photochanger_mockproviders import GeminiCall

WORKER = "worker-1"
OF_ONE_WORKER, OF_THE_FLEET = 10, 24
"""How many of Gemini's tasks run at once: `WORKER_SLOTS`, and `TASK_SHARE` of `PROVIDER_LIMITS`."""
ATTEMPTS = 5


@pytest.fixture(scope="module")
async def queueing_platform(devstack_run: Run) -> AsyncIterator[Platform]:
    """A platform of its own: workers come and go."""
    # What a provider did in one test must not keep the next one's photos away from it.
    async with open_platform(devstack_run, {"BREAKER_THRESHOLD": "1000"}) as opened:
        yield opened
        await opened.check()


@pytest.fixture
async def platform(queueing_platform: Platform) -> AsyncIterator[Platform]:
    yield queueing_platform
    queueing_platform.gemini.release()
    queueing_platform.gemini.by_default()
    await asyncio.to_thread(queueing_platform.stack.heal)


@pytest.fixture
async def admin(platform: Platform) -> AsyncIterator[AdminApi]:
    async with admin_api(platform) as api:
        yield api


@pytest.fixture
async def program(platform: Platform) -> AsyncIterator[Program]:
    async with a_program(platform) as program:
        yield program


def an_order(prompt: str) -> dict[str, Any]:
    settings = {"prompt": prompt, "no_image_pause_seconds": 0}
    return {"provider": "gemini", "operation": "image_edit", "settings": settings}


def calls(platform: Platform, prompt: str) -> list[GeminiCall]:
    return [call for call in platform.gemini.calls if prompt in call.request.prompt]


async def gemini_queue(admin: AdminApi) -> dict[str, Any]:
    queues = (await admin.get("/api/queues")).json["queues"]
    return next(queue for queue in queues if queue["name"] == "gemini")


async def workers(admin: AdminApi) -> list[dict[str, Any]]:
    """Those of Gemini's queue; one that was killed is among them for half a minute."""
    alive: list[dict[str, Any]] = (await admin.get("/api/queues")).json["workers"]
    return [worker for worker in alive if "gemini" in worker["queues"]]


@asynccontextmanager
async def more_workers(platform: Platform, *numbers: int, **environ: str) -> AsyncIterator[None]:
    stack = platform.stack
    names = await asyncio.gather(
        *(asyncio.to_thread(stack.add_worker, number, **environ) for number in numbers)
    )
    try:
        yield
    finally:
        platform.gemini.release()
        await asyncio.gather(*(asyncio.to_thread(stack.remove, name) for name in names))


async def test_a_client_with_one_photo_does_not_wait_for_all_of_a_bulk_clients(
    platform: Platform, program: Program
) -> None:
    gate = platform.gemini.hold(Match(prompt="bulk"))
    bulk = await program.submit_many(3 * OF_ONE_WORKER, **an_order("bulk"))
    await platform.held(gate, count=OF_ONE_WORKER)
    async with a_program(platform, "A guest") as other:
        (lone,) = await other.submit_many(1, **an_order("lone"))
        waiting = await other.look(lone)
        gate.release()
        done = await other.final(lone)
    behind = [job for job in [await program.final(job_id) for job_id in bulk] if job["status"] == "done"]

    assert (waiting["status"], done["status"], len(behind)) == ("pending", "done", len(bulk))
    assert waiting["queue_position"] <= 3
    started_later = sum(job["started_at"] > done["started_at"] for job in behind)
    assert started_later >= OF_ONE_WORKER  # of the 20 that were handed in before it and had not begun


async def test_a_photo_waits_as_long_as_its_provider_wishes_and_uses_up_no_attempt(
    platform: Platform, program: Program
) -> None:
    # Each attempt asks twice, as a camera's call does; more attempts than may fail.
    refusals = 2 * (ATTEMPTS + 1)
    quota = GeminiKnob.HTTP_429_RETRYINFO
    platform.gemini.script(quota, times=refusals, matching=Match(prompt="pressed"), retry_delay="0.2s")
    (job_id,) = await program.submit_many(1, **an_order("pressed"))
    done = await program.final(job_id)
    asked = [call.at for call in calls(platform, "pressed")]

    assert (done["status"], done["attempts"], len(asked)) == ("done", ATTEMPTS + 2, refusals + 1)
    pauses = [(later - before).total_seconds() for before, later in pairwise(asked)]
    assert min(pauses) >= 0.2
    assert await _failures(platform, job_id) == 0


async def test_a_worker_that_is_short_of_memory_takes_nothing_and_says_so(
    platform: Platform, program: Program, admin: AdminApi
) -> None:
    await asyncio.to_thread(platform.stack.stop, WORKER)
    (job_id,) = await program.submit_many(1, **an_order("guarded"))
    async with more_workers(platform, 2, WORKER_FREE_MEMORY_MB="1000000000"):

        async def told() -> bool:
            return "free_memory" in [worker["guard"] for worker in await workers(admin)]

        await until(told, "a worker whose guard is closed")
        waiting, queue = await program.look(job_id), await gemini_queue(admin)
        await platform.start(WORKER)
        done = await program.final(job_id)
    assert (waiting["status"], waiting["attempts"], queue["queued"], queue["running"]) == ("pending", 0, 1, 0)
    assert (done["status"], done["attempts"]) == ("done", 1)


async def test_a_job_that_is_cancelled_before_its_turn_never_reaches_the_provider(
    platform: Platform, program: Program
) -> None:
    await asyncio.to_thread(platform.stack.stop, WORKER)
    unwanted, wanted = (
        await program.submit_many(1, **an_order("unwanted")),
        await program.submit_many(1, **an_order("wanted one")),
    )
    cancelled = await program.post(f"/api/v1/jobs/{unwanted[0]}/cancel")
    await platform.start(WORKER)
    done = await program.final(wanted[0])

    assert (cancelled.status, cancelled.json["status"], cancelled.json["attempts"]) == (200, "cancelled", 0)
    assert done["status"] == "done"
    assert calls(platform, "unwanted") == []


async def test_a_job_that_is_cancelled_at_its_provider_ends_the_call_and_no_other(
    platform: Platform, program: Program
) -> None:
    gate = platform.gemini.hold(Match(prompt="together"))
    both = await program.submit_many(2, **an_order("together"))
    await platform.held(gate, count=2)
    assert (await program.post(f"/api/v1/jobs/{both[0]}/cancel")).status == 200
    async with asyncio.timeout(10):
        await platform.gemini.until(lambda: gate.held == 1)
    gate.release()
    ends = [(await program.final(job_id))["status"] for job_id in both]

    assert ends == ["cancelled", "done"]
    assert sorted(call.aborted for call in calls(platform, "together")) == [False, True]


async def test_a_photo_whose_attempts_are_used_up_is_failed_and_an_admin_decides_about_its_task(
    platform: Platform, program: Program, admin: AdminApi
) -> None:
    dropped, repeated = await asyncio.gather(
        *(_dead(platform, program, prompt) for prompt in ("hopeless", "hopeful"))
    )
    listed = {task["job_id"]: task for task in (await admin.get("/api/queues/gemini/dead")).json["tasks"]}
    assert listed.keys() >= {dropped, repeated}
    task = listed[repeated]
    assert (task["state"], task["reason"], task["failures"]) == ("dead", "bad_response", ATTEMPTS)
    assert (await gemini_queue(admin))["dead"] == 2

    seen = (await admin.get(f"/api/jobs/{dropped}/details")).json
    # Of the attempt that was the last.
    assert [item["stage"] for item in seen["stages"]] == ["fetch", "provider"]

    gone = await admin.ask("POST", f"/api/queues/dead/{listed[dropped]['task_id']}/drop")
    again = await admin.ask("POST", f"/api/queues/dead/{listed[repeated]['task_id']}/requeue")
    late = await admin.ask("POST", f"/api/queues/dead/{listed[dropped]['task_id']}/requeue")
    assert (gone.status, gone.json["state"], gone.json["reason"]) == (200, "failed", "dropped")
    assert (again.status, again.json["state"], again.json["failures"]) == (200, "queued", 0)
    assert (late.status, late.reason) == (409, "task_not_dead")
    assert (await admin.get("/api/queues/gemini/dead")).json["tasks"] == []

    async def pictured() -> bool:
        return (await program.look(repeated))["result_url"] is not None

    await until(pictured, "the picture of the task that was tried again")
    job, picture = await program.look(repeated), await program.get(f"/api/v1/jobs/{repeated}/result")
    assert (job["status"], job["failure"]["reason"]) == ("failed", "bad_response")
    assert (picture.status, picture.headers["Content-Type"]) == (200, "image/jpeg")
    assert (await program.look(dropped))["result_url"] is None


async def _dead(platform: Platform, program: Program, prompt: str) -> str:
    """A job whose last attempt has failed; the others are made up, in the row that remembers them, while it waits."""
    quota, broken = GeminiKnob.HTTP_429_RETRYINFO, GeminiKnob.CANDIDATES_MISSING
    platform.gemini.script(quota, times=2, matching=Match(prompt=prompt), retry_delay="1s")
    platform.gemini.script(broken, times=2, matching=Match(prompt=prompt))
    (job_id,) = await program.submit_many(1, **an_order(prompt))
    async with await _providers(platform) as connection:

        async def made_up() -> bool:
            changed = await connection.execute(
                "UPDATE tasks SET failures = max_attempts - 1 WHERE unique_key = %s AND state = 'scheduled'",
                (job_id,),
            )
            return changed.rowcount == 1

        await until(made_up, "a task that waits for its provider")
    failed = await program.final(job_id)
    assert (failed["status"], failed["failure"]["reason"]) == ("failed", "bad_response")
    return job_id


async def _failures(platform: Platform, job_id: str) -> int:
    async with await _providers(platform) as connection:
        found = await connection.execute("SELECT failures FROM tasks WHERE unique_key = %s", (job_id,))
        row = await found.fetchone()
    assert row is not None
    return int(row[0])


async def _providers(platform: Platform) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    url = platform.stack.plan.database_url("providers")
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


async def test_more_workers_share_the_work_up_to_the_fleets_limit(
    platform: Platform, program: Program, admin: AdminApi
) -> None:
    async with more_workers(platform, 2, 3):

        async def three() -> bool:
            return sum(worker["guard"] is None for worker in await workers(admin)) >= 3

        await until(three, "three workers")
        gate = platform.gemini.hold(Match(prompt="shared"))
        jobs = await program.submit_many(2 * OF_THE_FLEET, **an_order("shared"))

        async def all_at_work() -> bool:
            running = sorted(worker["running"] for worker in await workers(admin) if worker["guard"] is None)
            queue = await gemini_queue(admin)
            full = (gate.held, queue["running"], queue["queued"]) == (OF_THE_FLEET,) * 3
            return full and all(running[-3:])

        # They have places for 30: it is the fleet's limit that holds.
        await until(all_at_work, "three workers at work, and half of the photos waiting")
        gate.release()
        ends = [await program.final(job_id) for job_id in jobs]
    assert {(job["status"], job["attempts"]) for job in ends} == {("done", 1)}
