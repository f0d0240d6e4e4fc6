"""The Turbotext mock's server: queue, polling, downloads, and the fetching of submitted links."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from ..script import Behaviour, Facts, Match, Script, Step
from ..server import Clock, MockServer, Reply, Sleep, utc_now
from . import replies
from .forms import METHODS, Method, ParamsError
from .jobs import Job, Jobs, draw, pick_photo
from .knobs import MOVABLE, TurbotextKnob
from .photos import Fetch, fetch
from .replies import happens_at

DEFAULT_API_KEY = "mock-turbotext-key"
_AT_DOWNLOAD = frozenset({TurbotextKnob.SLOW, TurbotextKnob.LOST_ANSWER})
_FORM = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class TurbotextCall:
    """One request to `/api_ai/…`, refused ones included; `status` is None until it is answered."""

    number: int
    at: datetime
    method: str
    step: Step = Step.CREATE
    fields: Mapping[str, str] = field(default_factory=dict)
    queue_id: int | None = None
    fetches: tuple[Fetch, ...] = ()
    attempt_spent: bool = False
    behaviour: Behaviour[TurbotextKnob] | None = None
    status: int | None = None
    aborted: bool = False


@dataclass(slots=True)
class Download:
    """One GET of a result."""

    at: datetime
    name: str
    queue_id: int | None = None
    status: int | None = None
    aborted: bool = False


class TurbotextMock(MockServer):
    """Turbotext's photo API on a local port.

    `api_key` None accepts any key. A job answers `reconnect` until `reconnects` polls were answered so and
    `delay` seconds have passed. `result` is a picture to answer with instead of drawing one.
    """

    def __init__(
        self,
        *,
        api_key: str | None = DEFAULT_API_KEY,
        reconnects: int = 1,
        delay: float = 0.0,
        result: bytes | None = None,
        fetch_timeout_seconds: float = 10.0,
        host: str = "127.0.0.1",
        port: int = 0,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(host=host, port=port, sleep=sleep, clock=clock)
        self.api_key = api_key
        self.calls: list[TurbotextCall] = []
        self.downloads: list[Download] = []
        self._reconnects = reconnects
        self._delay = timedelta(seconds=delay)
        self._result = result
        self._fetch_timeout = aiohttp.ClientTimeout(total=fetch_timeout_seconds)
        self._session: aiohttp.ClientSession | None = None
        self._script: Script[TurbotextKnob] = Script(Behaviour())
        self._jobs = Jobs()

    @property
    def base_url(self) -> str:
        """What `TURBOTEXT_BASE_URL` is set to. Relative result links belong to `origin`."""
        return f"{self.origin}/api_ai"

    @property
    def script_left(self) -> int:
        """How many scripted answers nobody has asked for yet."""
        return self._script.left

    @property
    def attempts_spent(self) -> int:
        """How many photo attempts of the plan were used up."""
        return sum(call.attempt_spent for call in self.calls)

    def script(
        self,
        *knobs: TurbotextKnob,
        times: int = 1,
        matching: Match | None = None,
        at: Step | None = None,
        count: int = 1,
        seconds: float = 0.0,
        reason: str = "",
    ) -> None:
        """Queues a behaviour for the next `times` valid `create_queue` requests; then the default one again.

        `count` is n of the "n times, then ok" knobs, `at` the step a movable knob happens at, `seconds`
        belongs to `slow`, `reason` to `other_error`.
        """
        behaviour = _behaviour(knobs, at, count, seconds, reason)
        if happens_at(behaviour, TurbotextKnob.HTTP_503_THEN_OK, Step.CREATE):
            # Every refused creation is a request of its own: there is no job yet that could count them.
            times *= count
        self._script.add(behaviour, times=times, matching=matching or Match())

    def by_default(
        self,
        *knobs: TurbotextKnob,
        at: Step | None = None,
        count: int = 1,
        seconds: float = 0.0,
        reason: str = "",
    ) -> None:
        """Sets the behaviour of everything that is not scripted. No knob: a good picture."""
        self._script.default = _behaviour(knobs, at, count, seconds, reason)

    async def start(self) -> None:
        """Opens the port, and the client that fetches submitted links."""
        self._session = aiohttp.ClientSession(timeout=self._fetch_timeout, auto_decompress=False)
        await super().start()

    async def stop(self) -> None:
        """Closes both."""
        await super().stop()
        if self._session is not None:
            await self._session.close()

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/api_ai/{method}", self._api)
        router.add_get("/download.php", self._download)
        router.add_get("/image/{name}", self._download)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        call = TurbotextCall(len(self.calls) + 1, self._now(), request.match_info["method"])
        self.calls.append(call)
        async with self._watching(call):
            call.fields = dict(
                parse_qsl((await request.read()).decode("utf-8", "replace"), keep_blank_values=True)
            )
            reply = await self._answer(request, call)
            if reply is None:
                self._hang_up(request)
                return web.Response()
            return await self._send(request, reply, call)

    async def _answer(self, request: web.Request, call: TurbotextCall) -> Reply | None:
        """The answer; None breaks the connection instead."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key or key != (self.api_key or key):
            return replies.UNAUTHORIZED
        method = METHODS.get(call.method)
        if method is None:
            return replies.NOT_FOUND
        if request.content_type != _FORM:
            self.violations.append(f"call {call.number}: Content-Type is {request.content_type}")
            return replies.failure("params_error")
        headers = {name.lower(): value for name, value in request.headers.items()}
        match call.fields.get("do"):
            case "create_queue":
                return await self._create(call, method, headers)
            case "get_result":
                call.step = Step.GET_RESULT
                return await self._get_result(call, headers)
            case _:
                return replies.failure("params_error")

    async def _create(self, call: TurbotextCall, method: Method, headers: Mapping[str, str]) -> Reply | None:
        unknown = method.unknown(call.fields)
        if unknown:
            self.violations.append(f"call {call.number}: {method.name} has no {', '.join(unknown)}")
        try:
            method.check(call.fields)
        except ParamsError:
            return replies.failure("params_error")
        facts = _facts(call.method, Step.CREATE, call.fields, headers)
        behaviour = call.behaviour = self._script.take(facts)
        await self._linger(facts, behaviour)
        refusal = replies.scripted_failure(behaviour, Step.CREATE) or replies.hiccup(behaviour, Step.CREATE)
        if refusal is not None:
            return refusal
        job = Job(method, call.fields, behaviour, self._now() + self._delay)
        if TurbotextKnob.FETCH_LATE not in behaviour and not await self._fetch_photos(call, job):
            return replies.failure("url_error")
        self._jobs.add(job)
        call.queue_id = job.queue_id
        call.attempt_spent = method.costs_attempt
        if happens_at(behaviour, TurbotextKnob.LOST_ANSWER, Step.CREATE):
            return None
        return replies.created(behaviour, job.queue_id)

    async def _get_result(self, call: TurbotextCall, headers: Mapping[str, str]) -> Reply | None:
        job = self._jobs.find(call.fields.get("queueid", ""), call.method)
        if job is None:
            return replies.failure("queue_not_found")
        behaviour = call.behaviour = job.behaviour
        call.queue_id = job.queue_id
        await self._linger(_facts(call.method, Step.GET_RESULT, job.fields, headers), behaviour)
        if job.hiccups < behaviour.count:
            lost = happens_at(behaviour, TurbotextKnob.LOST_ANSWER, Step.GET_RESULT)
            hiccup = replies.hiccup(behaviour, Step.GET_RESULT)
            if lost or hiccup is not None:
                job.hiccups += 1
                return None if lost else hiccup
        if not self._ready(job):
            job.reconnects += 1
            return replies.reconnect(behaviour)
        if not job.fetched and not await self._fetch_photos(call, job):
            return replies.failure("url_error")
        failure = replies.scripted_failure(behaviour, Step.GET_RESULT)
        if failure is not None:
            return failure
        if not job.method.costs_attempt:
            return replies.methods_available(behaviour)
        if job.result is None:
            job.result = await self._in_thread(draw, job, self._result)
            job.photo = None
        size = (job.result.info.width_px, job.result.info.height_px)
        link = replies.ResultLink(self.origin, job.name)
        return replies.finished(behaviour, job.method.name, job.fields, size, link)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name") or request.query.get("f", "")
        download = Download(self._now(), name)
        self.downloads.append(download)
        async with self._watching(download):
            job = self._jobs.by_name(name)
            if job is None or job.result is None:
                return await self._send(request, replies.NOT_FOUND, download)
            download.queue_id = job.queue_id
            headers = {key.lower(): value for key, value in request.headers.items()}
            await self._linger(_facts(job.method.name, Step.DOWNLOAD, job.fields, headers), job.behaviour)
            job.downloads += 1
            reply = Reply(200, job.result.data, job.result.info.mime_type)
            if job.downloads <= job.behaviour.count:
                reply = replies.spoiled_download(job.behaviour, reply)
            return await self._send(request, reply, download)

    def _ready(self, job: Job) -> bool:
        wanted = job.behaviour.count if TurbotextKnob.RECONNECT_N in job.behaviour else self._reconnects
        return (
            TurbotextKnob.NEVER_READY not in job.behaviour
            and job.reconnects >= wanted
            and self._now() >= job.ready_at
        )

    async def _linger(self, facts: Facts, behaviour: Behaviour[TurbotextKnob]) -> None:
        await self._pass_gates(facts)
        if happens_at(behaviour, TurbotextKnob.SLOW, facts.step):
            await self._sleep(behaviour.seconds)

    async def _fetch_photos(self, call: TurbotextCall, job: Job) -> bool:
        """Gets the submitted links, one after the other; False when one of them is no picture."""
        if self._session is None:
            raise RuntimeError("the mock is not running")
        rounds = 2 if TurbotextKnob.FETCH_TWICE in job.behaviour else 1
        fetched: list[tuple[Fetch, bytes]] = []
        for name in job.method.fetched * rounds:
            fetched.append(await fetch(self._session, name, job.fields[name]))
            call.fetches = tuple(item for item, _ in fetched)
            if call.fetches[-1].problem:
                return False
        job.fetched = True
        job.photo = pick_photo(job.method, fetched) if self._result is None else None
        return True


def _facts(method: str, step: Step, fields: Mapping[str, str], headers: Mapping[str, str]) -> Facts:
    return Facts(step=step, method=method, prompt=fields.get("content", ""), headers=headers)


def _behaviour(
    knobs: tuple[TurbotextKnob, ...], at: Step | None, count: int, seconds: float, reason: str
) -> Behaviour[TurbotextKnob]:
    if at is not None and not MOVABLE.keys() & set(knobs):
        raise ValueError(f"None of {sorted(knobs)} can be moved to another step.")
    if at is Step.DOWNLOAD and not _AT_DOWNLOAD & set(knobs):
        raise ValueError(f"Of the movable knobs only {sorted(_AT_DOWNLOAD)} happen at a download.")
    if (TurbotextKnob.SLOW in knobs) != (seconds > 0):
        raise ValueError("slow needs seconds, and nothing else does")
    return Behaviour(frozenset(knobs), at=at, count=count, seconds=seconds, reason=reason)
