"""The API for programs, as a patient client uses it: nothing it repeats is done twice."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from photochanger_devstack.answers import first_line, reason_of, retry_after
from photochanger_devstack.camera.form import FILE_NAME, content_type_of
from photochanger_devstack.program.limits import Allowance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

MOST_IN_BATCH: Final = 100
_PAGE: Final = 200
_FIRST_PAUSE: Final = 1.0
_PAUSE_GROWTH: Final = 2.0
_LONGEST_PAUSE: Final = 30.0
_PASSING: Final = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
_UNFINISHED: Final = ("pending", "running")


class Refused(Exception):
    """The platform's last word on a request, or that there was none after all repeats."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API is, and with which key. `timeout_seconds` covers one request, `retries` what may pass by itself."""

    url: str
    key: str = field(repr=False)
    timeout_seconds: float = 60
    retries: int = 6


@dataclass(frozen=True, slots=True)
class JobSight:
    """A job as the platform tells of it. Times are its own, in seconds after the submission; None: not yet."""

    id: str
    status: str
    final: bool
    attempts: int
    until_start: float | None
    until_end: float | None
    failure: str | None


class Api:
    """Requests of one client. Uploads are repeated as a whole, submissions by their keys, the rest is read only.

    429 is waited for as long as the platform says, and before it: where an answer tells that nothing is left. Lost
    connections, 502, 503 and 504 are repeated after growing pauses.
    """

    def __init__(
        self, session: aiohttp.ClientSession, *, retries: int, pause: Callable[[float], Awaitable[None]]
    ) -> None:
        self._session = session
        self._retries = retries
        self._pause = pause
        self._submissions = Allowance(pause)
        self._others = Allowance(pause)
        self.repeats = 0

    async def upload(self, photo: bytes) -> str:
        """Stores a photo for an hour; returns its id. Raises `Refused`, as all here do."""

        def form() -> aiohttp.FormData:
            content_type = content_type_of(photo) or "image/jpeg"
            data = aiohttp.FormData()
            data.add_field("photo", photo, filename=FILE_NAME, content_type=content_type)
            return data

        answer = await self._json("POST", "/api/v1/media", form=form)
        return str(answer["media_object_id"])

    async def submit(self, orders: Sequence[Mapping[str, str]]) -> list[Mapping[str, Any]]:
        """Submits up to 100 jobs, which count as one submission; returns what came of each, in order."""
        answer = await self._json(
            "POST", "/api/v1/jobs/batch", body={"jobs": list(orders)}, allowance=self._submissions
        )
        jobs: list[Mapping[str, Any]] = answer["jobs"]
        return jobs

    async def unfinished(self) -> dict[str, str]:
        """The states of all the client's jobs that are not final, by id."""
        states: dict[str, str] = {}
        async for job in self._pages(*_UNFINISHED):
            states[job["job_id"]] = job["status"]
        return states

    async def newest(self) -> str:
        """The id of the client's newest job; empty where there is none."""
        answer = await self._json("GET", "/api/v1/jobs", query=[("limit", "1")])
        return str(answer["jobs"][0]["job_id"]) if answer["jobs"] else ""

    async def since(self, job_id: str) -> set[str]:
        """The ids of the client's jobs newer than this one; of all where it is empty."""
        found: set[str] = set()
        async for job in self._pages():
            if job["job_id"] == job_id:
                break
            found.add(job["job_id"])
        return found

    async def job(self, job_id: str) -> JobSight:
        """A job as it is."""
        return _sight(await self._json("GET", f"/api/v1/jobs/{job_id}"))

    async def result(self, job_id: str) -> tuple[str, bytes]:
        """The content type and bytes of a job's picture."""
        return await self._bytes("GET", f"/api/v1/jobs/{job_id}/result")

    async def _pages(self, *statuses: str) -> AsyncIterator[Mapping[str, Any]]:
        asked = [("limit", str(_PAGE)), *(("status", status) for status in statuses)]
        query = asked
        while True:
            answer = await self._json("GET", "/api/v1/jobs", query=query)
            for job in answer["jobs"]:
                yield job
            if not answer["next_cursor"]:
                return
            query = [*asked, ("cursor", answer["next_cursor"])]

    async def _json(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        form: Callable[[], aiohttp.FormData] | None = None,
        body: object = None,
        allowance: Allowance | None = None,
    ) -> Any:
        _, answer = await self._bytes(method, path, query=query, form=form, body=body, allowance=allowance)
        return json.loads(answer)

    async def _bytes(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        form: Callable[[], aiohttp.FormData] | None = None,
        body: object = None,
        allowance: Allowance | None = None,
    ) -> tuple[str, bytes]:
        allowance = allowance or self._others
        failures = 0
        while True:
            await allowance.turn()
            pause: float | None = None
            try:
                async with self._session.request(
                    method, path, params=list(query), data=form() if form is not None else None, json=body
                ) as response:
                    answer = await response.read()
                allowance.note(response.headers, refused=response.status == HTTPStatus.TOO_MANY_REQUESTS)
                if response.ok:
                    return response.content_type, answer
                said = reason_of(response.status, answer)
                if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                    self.repeats += 1
                    continue  # its time comes: no reason to give up
                if response.status not in _PASSING:
                    raise Refused(said)
                pause = retry_after(response.headers)
            except TimeoutError:
                said = "no answer in time"
            except aiohttp.ClientError as error:
                said = f"connection: {first_line(error)}"
            if failures == self._retries:
                raise Refused(said)
            growing = min(_FIRST_PAUSE * _PAUSE_GROWTH**failures, _LONGEST_PAUSE)
            failures += 1
            self.repeats += 1
            await self._pause(max(pause or 0.0, growing))


@asynccontextmanager
async def open_api(
    access: Access,
    *,
    connections: int,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Api]:
    """A client with at most so many connections."""
    async with aiohttp.ClientSession(
        access.url,
        connector=aiohttp.TCPConnector(limit=connections),
        timeout=aiohttp.ClientTimeout(total=access.timeout_seconds),
        headers={"Authorization": f"Bearer {access.key}"},
    ) as session:
        yield Api(session, retries=access.retries, pause=pause)


def _sight(job: Mapping[str, Any]) -> JobSight:
    failure = job["failure"]
    return JobSight(
        id=job["job_id"],
        status=job["status"],
        final=job["finished_at"] is not None,
        attempts=job["attempts"],
        until_start=_seconds(job["created_at"], job["started_at"]),
        until_end=_seconds(job["created_at"], job["finished_at"]),
        failure=None if failure is None else f"{failure['reason']}: {failure['message']}",
    )


def _seconds(since: str, until: str | None) -> float | None:
    if until is None:
        return None
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()
