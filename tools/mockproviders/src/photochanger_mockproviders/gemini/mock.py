"""The Gemini mock's server: checks, records, holds and answers `generateContent` calls."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from aiohttp import web

from .. import pictures as drawing
from ..pictures import PictureFormat
from ..script import Behaviour, Facts, Match, Script, Step
from ..server import Clock, MockServer, Reply, Sleep, utc_now
from . import bodies, errors, replies
from .errors import ApiError
from .knobs import MODIFIERS, GeminiKnob
from .models import MODELS, ImageModel, output_size
from .requests import GeminiRequest, ParsedRequest, parse

DEFAULT_API_KEY = "mock-gemini-key"
_SUFFIX = ":generateContent"


@dataclass(slots=True)
class GeminiCall:
    """One request that arrived, refused ones included; `status` is None until it is answered.

    `seconds` is the provider's own time: from the request's last byte to the moment its answer is sent.
    """

    number: int
    at: datetime
    model: str
    body_bytes: int = 0
    request: GeminiRequest = field(default_factory=GeminiRequest)
    behaviour: Behaviour[GeminiKnob] | None = None
    status: int | None = None
    aborted: bool = False
    seconds: float = 0.0
    result_sha256: str = ""


class GeminiMock(MockServer):
    """Gemini's image models on a local port.

    `api_key` None accepts any key. `delay` seconds pass before every answer. `result` is a picture to answer
    with instead of drawing one. `fast` does not look into request bodies, but for a prompt at their end, and
    wants `result`.
    """

    def __init__(
        self,
        *,
        api_key: str | None = DEFAULT_API_KEY,
        models: Iterable[ImageModel] = MODELS,
        delay: float = 0.0,
        fast: bool = False,
        result: bytes | None = None,
        limit_bytes: int = bodies.LIMIT_BYTES,
        too_large_http: int = 400,
        host: str = "127.0.0.1",
        port: int = 0,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(host=host, port=port, sleep=sleep, clock=clock)
        if fast and result is None:
            raise ValueError("fast needs a result: without reading the photo nothing can be drawn from it")
        self.api_key = api_key
        self.calls: list[GeminiCall] = []
        self._models = {model.name: model for model in models}
        self._delay = delay
        self._fast = fast
        self._result = result
        self._limit_bytes = limit_bytes
        self._too_large_http = too_large_http
        self._script: Script[GeminiKnob] = Script(Behaviour())
        self._ready: dict[tuple[Behaviour[GeminiKnob], str], Reply] = {}

    @property
    def base_url(self) -> str:
        """What `GEMINI_BASE_URL` is set to; ends in the API's version."""
        return f"{self.origin}/v1beta"

    @property
    def script_left(self) -> int:
        """How many scripted answers nobody has asked for yet."""
        return self._script.left

    def script(
        self,
        *knobs: GeminiKnob,
        times: int = 1,
        matching: Match | None = None,
        seconds: float = 0.0,
        reason: str = "",
        retry_delay: str = "26s",
    ) -> None:
        """Queues an answer for the next `times` valid requests; then the default one again.

        `seconds` belongs to `slow`, `retry_delay` to the 429s, `reason` to the blocked and finish reasons.
        """
        behaviour = _behaviour(knobs, seconds, reason, retry_delay)
        self._script.add(behaviour, times=times, matching=matching or Match())

    def by_default(
        self, *knobs: GeminiKnob, seconds: float = 0.0, reason: str = "", retry_delay: str = "26s"
    ) -> None:
        """Sets the answer for everything that is not scripted. No knob: a good PNG."""
        self._script.default = _behaviour(knobs, seconds, reason, retry_delay)

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1beta/models/{call}", self._generate)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["call"]
        model = name.removesuffix(_SUFFIX)
        call = GeminiCall(number=len(self.calls) + 1, at=self._now(), model=model)
        self.calls.append(call)
        async with self._watching(call):
            try:
                parsed = await self._admit(request, call, known=name.endswith(_SUFFIX))
                began = time.perf_counter()
                facts = Facts(
                    step=Step.CREATE,
                    model=model,
                    prompt=parsed.request.prompt,
                    headers={key.lower(): value for key, value in request.headers.items()},
                )
                behaviour = call.behaviour = self._script.take(facts)
                await self._pass_gates(facts)
                if wait := self._delay + behaviour.seconds:
                    await self._sleep(wait)
                if GeminiKnob.DISCONNECT in behaviour:
                    self._hang_up(request)
                    return web.Response()
                reply = await self._reply(call, behaviour, parsed)
                call.seconds = time.perf_counter() - began
            except ApiError as error:
                reply = error.reply()
            return await self._send(request, reply, call)

    async def _admit(self, request: web.Request, call: GeminiCall, *, known: bool) -> ParsedRequest:
        """Everything the provider checks before its model sees the request, in its order."""
        size = bodies.BodySize()
        limits = {"limit_bytes": self._limit_bytes, "too_large_http": self._too_large_http}
        body = b""
        try:
            # The body is read first even for a bad key: who hangs up early resets the client's connection.
            if self._fast:
                prompt = await bodies.skim(request, size, **limits)
                call.request = GeminiRequest(prompt=prompt)
            else:
                body = await bodies.read_whole(request, size, **limits)
        finally:
            call.body_bytes = size.received
        self._check_key(request, call)
        model = self._models.get(call.model)
        if model is None or not known:
            raise errors.model_not_found(call.model)
        if request.content_type != "application/json":
            self.violations.append(f"call {call.number}: Content-Type is {request.content_type}")
        if self._fast:
            return ParsedRequest(call.request, None)
        parsed = await self._in_thread(parse, body, model)
        call.request = parsed.request
        self._announce()
        return parsed

    def _check_key(self, request: web.Request, call: GeminiCall) -> None:
        key = request.headers.get("x-goog-api-key")
        if "key" in request.query:
            self.violations.append(f"call {call.number}: the API key is in the URL")
            key = key or request.query["key"]
        if not key:
            raise errors.key_missing()
        if self.api_key is not None and key != self.api_key:
            raise errors.api_key_invalid()

    async def _reply(
        self, call: GeminiCall, behaviour: Behaviour[GeminiKnob], parsed: ParsedRequest
    ) -> Reply:
        outcome = replies.outcome_of(behaviour)
        if outcome in replies.PICTURED and "IMAGE" not in parsed.request.modalities:
            outcome = GeminiKnob.TEXT_ONLY_STOP
            behaviour = replace(behaviour, knobs=(behaviour.knobs & MODIFIERS) | {outcome})
        # An answer with a fixed picture is the same for every request of a model: encode it once.
        cached = (behaviour, call.model)
        if self._fast and cached in self._ready:
            return self._ready[cached]
        pictures = replies.NO_PICTURES
        if outcome in replies.PICTURED:
            pictures = await self._in_thread(_draw, outcome, parsed, self._result)
            call.result_sha256 = hashlib.sha256(pictures.final).hexdigest()
        answered = replies.Answered(
            model=call.model,
            response_id=f"mock-{call.number:06d}",
            input_images=len(parsed.request.images),
        )
        reply = await self._in_thread(replies.build, behaviour, answered, pictures)
        if self._fast:
            self._ready[cached] = reply
        return reply


def _behaviour(
    knobs: tuple[GeminiKnob, ...], seconds: float, reason: str, retry_delay: str
) -> Behaviour[GeminiKnob]:
    outcomes = set(knobs) - MODIFIERS
    if len(outcomes) > 1:
        raise ValueError(f"One answer cannot be all of {sorted(outcomes)}.")
    if (GeminiKnob.SLOW in knobs) != (seconds > 0):
        raise ValueError("slow needs seconds, and nothing else does")
    return Behaviour(frozenset(knobs), seconds=seconds, reason=reason, retry_delay=retry_delay)


def _draw(knob: GeminiKnob, parsed: ParsedRequest, result: bytes | None) -> replies.Pictures:
    """The pictures of one answer, from the request's first picture. For a thread: takes up to a second."""
    if result is not None:
        return replies.Pictures(
            final=result, interim=result, mime_type=drawing.inspect_header(result).mime_type
        )
    asked, images = parsed.request, parsed.request.images
    if knob is GeminiKnob.SAME_IMAGE and parsed.photo is not None:
        return replies.Pictures(parsed.photo, parsed.photo, images[0].actual.mime_type)
    reference = (images[0].actual.width_px, images[0].actual.height_px) if images else None
    width, height = output_size(asked.aspect_ratio, asked.image_size, reference)
    jpeg = knob in {GeminiKnob.OK_JPEG, GeminiKnob.MISLABELLED}
    file_format = PictureFormat.JPEG if jpeg else PictureFormat.PNG
    label = PictureFormat.PNG if knob is GeminiKnob.MISLABELLED else file_format
    if knob is GeminiKnob.BLANK_IMAGE:
        final = drawing.blank(width, height, file_format)
    else:
        final = drawing.edit(
            parsed.photo, width_px=width, height_px=height, label="mock gemini", file_format=file_format
        )
    interim = b""
    if knob is GeminiKnob.THOUGHT_THEN_FINAL:
        interim = drawing.blank(width // 4, height // 4, file_format)
    return replies.Pictures(final, interim, label.mime_type)
