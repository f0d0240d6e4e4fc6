"""A running stack with mock providers beside it, a camera, an admin, and its whole history."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from photochanger_mockproviders import GeminiKnob, GeminiMock, Step, TurbotextMock, fixed

from harness.camera import Camera
from harness.history import Fetched, History, ProviderCall, StoredRow
from harness.invariants import violations
from harness.observer import Observer
from harness.slots import Admin
from harness.stack import Stack
from harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime

    from photochanger_devstack.testing.run import Run
    from photochanger_mockproviders import Gate

GEMINI_KEY = "canary-gemini-key-6f1d0a"
TURBOTEXT_KEY = "canary-turbotext-key-93be27"
GUEST = "canary.guest@example.org"
"""A guest's answer in the booth's survey, sent with every photo."""
_LOOKS = 20
"""How often rows and objects are compared before a difference counts; a look takes some tens of milliseconds."""
_SHOT = re.compile(r"\b[0-9a-f]{32}\b|CY04N068111304S2L_[0-9]{8}\.")
_ENVIRONMENT = {
    "GEMINI_API_KEY": GEMINI_KEY,
    "TURBOTEXT_API_KEY": TURBOTEXT_KEY,
    "LOG_LEVEL": "DEBUG",
    # Tests are one client, and always in a hurry.
    "PUBLIC_RATE_PER_MINUTE": "100000",
    "INGEST_RATE_PER_MINUTE": "100000",
    "WRONG_PASSWORD_RATE_PER_MINUTE": "1000",
    # A killed process holds its jobs no longer than a test can wait.
    "LEASE_SECONDS": "3",
    # Two repeats of a webhook, soon.
    "WEBHOOK_RETRY_PAUSES": "1,1",
    # The machine is busy with the tests themselves.
    "WORKER_CPU_LIMIT": "1",
    "WORKER_MEMORY_LIMIT": "1",
    "WORKER_FREE_MEMORY_MB": "0",
}


@dataclass
class Platform:
    """Everything a test touches."""

    stack: Stack
    gemini: GeminiMock
    turbotext: TurbotextMock
    camera: Camera
    admin: Admin
    observer: Observer
    result: bytes
    """The picture both providers answer with."""
    events_since: datetime | None = None
    """Of jobs admitted before it the stream may know nothing: its store was lost then."""

    async def kill(self, name: str) -> None:
        """Kills a process of the stack."""
        await asyncio.to_thread(self.stack.kill, name)

    async def start(self, name: str, *, crash_at: str = "") -> None:
        """Starts a process of the stack, maybe one that will die at a crash point; returns when it is ready."""
        await asyncio.to_thread(self.stack.start, name, crash_at=crash_at)

    async def dies(self, name: str) -> None:
        """Waits until a process has ended by itself."""

        async def dead() -> bool:
            return not self.stack.running(name)

        await until(dead, f"the end of {name}")

    async def crash(self, name: str) -> None:
        """Kills a process and starts it again."""
        await asyncio.to_thread(self.stack.crash, name)

    async def whole(self) -> None:
        """Waits until the gateway finds everything it needs healthy: clients back off from what was away."""

        async def healthy() -> bool:
            response, _ = await self.camera.get("/healthz")
            return response.status == 200

        await until(healthy, "a healthy platform")

    async def held(self, gate: Gate, *, count: int = 1) -> None:
        """Waits until a provider holds exactly so many requests at a gate: these jobs are in mid-flight now."""

        async def reached() -> bool:
            return gate.held == count

        # Many at once take their time on a machine that is busy with browsers.
        await until(reached, f"{count} requests at the provider", within_seconds=60)

    def submitted_link(self, shot: str) -> str:
        """The first public link Turbotext was given for a request of the camera."""
        calls = [call for call in self.turbotext.calls if shot in call.fields.get("content", "")]
        return calls[0].fetches[0].url

    async def add_replicas(self) -> None:
        """Sees to it that there are two of ingest and of the gateway."""
        if len(self.stack.gateways) == 1:
            await asyncio.to_thread(self.stack.add_replicas)

    async def jobs_in(self, slot_id: str, state: str, *, count: int) -> None:
        """Waits until a slot has exactly so many jobs in a state."""

        async def reached() -> bool:
            jobs = await self.observer.jobs()
            return sum(job.slot_id == slot_id and job.state == state for job in jobs) == count

        await until(reached, f"{count} jobs of {slot_id} {state}")

    async def gallery(self, slot_id: str) -> list[dict[str, str]]:
        """A slot's public gallery, as JSON."""
        _, body = await self.camera.get(f"/public/slots/{slot_id}", headers={"Accept": "application/json"})
        results: list[dict[str, str]] = json.loads(body)["results"]
        return results

    async def quarter_of_an_hour_passes(self) -> None:
        """For what is shared: it was so long ago now. What an earlier test shared is closed."""
        url = self.stack.plan.database_url("ingest")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(
                """
                UPDATE gallery_share
                SET requested_at = requested_at - interval '15 min', share_until = share_until - interval '15 min'
                """
            )

    async def settled(self, *, within_seconds: float = 30) -> None:
        """Waits until nothing is under way any more: no job, no provider's work, no event to be published."""

        async def nothing_left() -> bool:
            return not await self.observer.unfinished() and not sum((await self.observer.outboxes()).values())

        await until(nothing_left, "every job ended and every event told", within_seconds=within_seconds)

    async def history(self) -> History:
        """What has happened so far. Sweeps the bucket first: until then, it may disagree with its rows."""
        await self.admin.sweep()
        rows, objects = await self._stored()
        return History(
            answers=tuple(self.camera.answers),
            fetched=tuple([await self._fetch(job_id) for job_id in self._answered()]),
            jobs=await self.observer.jobs(),
            events=await self.observer.events(),
            events_since=self.events_since,
            outboxes=await self.observer.outboxes(),
            provider_calls=self._provider_calls(),
            rows=rows,
            objects=objects,
            logs=await asyncio.to_thread(self.stack.logs),
            secrets=self._secrets(),
        )

    async def _stored(self) -> tuple[tuple[StoredRow, ...], frozenset[str]]:
        """Rows and objects as of one moment: looked at again while they differ, as a preview may be in the making."""
        looks = 0
        while True:
            objects = await self.observer.objects()
            rows = await self.observer.stored_rows()
            looks += 1
            if looks == _LOOKS or not violations(History(rows=rows, objects=objects)):
                return rows, objects

    async def check(self) -> History:
        """Waits until all is quiet and asserts every rule over the whole history, which it returns."""
        await self.settled()
        history = await self.history()
        broken = violations(history)
        assert not broken, "\n".join(f"{item.rule}: {item.what}" for item in broken)
        return history

    def _answered(self) -> list[str]:
        return list(dict.fromkeys(answer.job_id for answer in self.camera.answers if answer.status == 200))

    async def _fetch(self, job_id: str) -> Fetched:
        response, body = await self.camera.get(f"/public/results/{job_id}")
        return Fetched(job_id=job_id, status=response.status, sha256=hashlib.sha256(body).hexdigest())

    def _provider_calls(self) -> tuple[ProviderCall, ...]:
        # What leads to a documented repeat, or polls, is part of a call that counts already.
        asked = [
            ("gemini", call.request.prompt)
            for call in self.gemini.calls
            if call.behaviour is None or GeminiKnob.NO_IMAGE not in call.behaviour
        ]
        asked += [
            ("turbotext", call.fields.get("content", ""))
            for call in self.turbotext.calls
            if call.step is Step.CREATE
        ]
        return tuple(
            ProviderCall(provider=provider, shot=found[0])
            for provider, prompt in asked
            if (found := _SHOT.search(prompt)) is not None
        )

    def _secrets(self) -> Mapping[str, str]:
        plan = self.stack.plan
        ours = {name: value for name, value in plan.secrets.model_dump().items() if name != "s3_access_key"}
        # Who knows a job's whole id may see its picture.
        ids = {f"the id of job {job_id[:8]}": job_id for job_id in self._answered()}
        return (
            ours | ids | {"the Gemini key": GEMINI_KEY, "the Turbotext key": TURBOTEXT_KEY, "a guest": GUEST}
        )


@asynccontextmanager
async def open_platform(run: Run, environ: Mapping[str, str] | None = None) -> AsyncIterator[Platform]:
    """Starts everything; ends it when left. `environ` is put over the services' environment."""
    result = fixed(60_000)
    async with AsyncExitStack() as resources:
        gemini = await resources.enter_async_context(GeminiMock(api_key=GEMINI_KEY, result=result))
        turbotext = await resources.enter_async_context(
            TurbotextMock(api_key=TURBOTEXT_KEY, reconnects=0, result=result)
        )
        urls = {"GEMINI_BASE_URL": gemini.base_url, "TURBOTEXT_BASE_URL": turbotext.base_url}
        stack = Stack(run, {**_ENVIRONMENT, **urls, **(environ or {})})
        await asyncio.to_thread(stack.__enter__)
        resources.push_async_callback(asyncio.to_thread, stack.__exit__)
        plan = stack.plan
        camera = await resources.enter_async_context(
            Camera(plan.gateway_url, plan.secrets.ingest_password, survey={"email": GUEST})
        )
        admin = await resources.enter_async_context(
            Admin(ingest=plan.listen("ingest"), media=plan.listen("media"))
        )
        yield Platform(stack, gemini, turbotext, camera, admin, Observer(plan), result)
