"""Turbotext: a queue that is polled, and pictures that are fetched from links, theirs and ours.

POST {base}/{method}, form-encoded, `Authorization: Bearer`: `do=create_queue` with the operation's fields
gives a `queueid`, `do=get_result` at the same path asks for the result. The provider fetches the photo itself
from a link that must work until the deadline. No cancel call, no webhook.
Source: https://www.turbotext.ru/photo_ai/docs/info, read in November 2026.

Each accepted job spends one of the plan's photo attempts, and creation is not idempotent. So an error raised
after creation never asks to be repeated; what can be asked again for nothing is asked again here: polls, and
the download.

| operation | method | `url` | `url_image_target` |
|---|---|---|---|
| `image_edit` | `generate_image2image` | the photo | |
| `style_transfer` | `mix_images` | the template: its style is taken | the photo: it is changed |
| `identity_transfer`, face from the photo | `deepfake_photo` | the template: its face is replaced | the photo |
| `identity_transfer`, face from the template | `deepfake_photo` | the photo: its face is replaced | the template |
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import structlog
from photochanger_chassis.concurrency import collapse_group
from photochanger_imaging.formats import sniff
from yarl import URL

from photochanger_providers.application.driver import DriverRequest, DriverResult
from photochanger_providers.domain.errors import (
    BadProviderResponse,
    NetworkFailed,
    NoImage,
    ProviderFault,
    ProviderMisconfigured,
    ProviderTimedOut,
    QuotaExceeded,
)
from photochanger_providers.domain.picture import Picture
from photochanger_providers.domain.repeat import Repeat
from photochanger_providers.drivers.body import RequestBody
from photochanger_providers.drivers.entry import DriverEntry, DriverTools
from photochanger_providers.drivers.turbotext_answers import (
    NOT_ACCEPTED,
    TurbotextAnswer,
    UnreadableAnswer,
    absolute_link,
    failure_of,
    parse_answer,
    refused,
)
from photochanger_providers.drivers.turbotext_settings import (
    IDENTITY_TRANSFER,
    IMAGE_EDIT,
    INFO,
    PERSON_ROLE,
    STYLE_ROLE,
    EditSettings,
    IdentitySettings,
    StyleSettings,
)
from photochanger_providers.drivers.waiting import parse_retry_after

_KEPT_FOR_DOWNLOAD: Final = timedelta(seconds=5)
_POLL_SECONDS: Final = 15.0
_DOWNLOAD_TRIES: Final = 3
_DOWNLOAD_PAUSE: Final = timedelta(seconds=1)
_MOST_PICTURE_BYTES: Final = 64 * 1024 * 1024
_SNIFF_BYTES: Final = 12
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Task:
    """What is asked: the provider's method, its plain fields, and the pictures by the field of their link."""

    method: str
    fields: Mapping[str, str]
    pictures: Mapping[str, Picture]
    poll_interval: timedelta


class TurbotextDriver:
    """Changes photos with Turbotext's photo API."""

    def __init__(self, tools: DriverTools) -> None:
        self._http = tools.http
        self._clock = tools.clock
        self._pause = tools.pause

    async def process(self, request: DriverRequest) -> DriverResult:
        """Lends the pictures, creates a job, polls until it is done or 5 s are left, fetches the result."""
        task = _task_of(request)
        links = await _links_to(task.pictures, request)
        created = await self._ask(
            task.method,
            {"do": "create_queue", **links, **task.fields},
            request.api_key,
            not_sent=NOT_ACCEPTED,
        )
        # The provider has accepted the job, or may have: from here on nothing may lead to a second one.
        failure = failure_of(created)
        if failure is not None:
            raise failure
        if not created.queue_id:
            raise BadProviderResponse("Turbotext accepted the photo without a queue number.")
        # What a timeout leaves behind goes on there, and is billed: the number finds it.
        _log.info("turbotext.accepted", method=task.method, queue_id=created.queue_id)
        result, polls = await self._result_of(task, created.queue_id, request)
        picture = await self._download(absolute_link(result.link, base_url=self._http.base_url), request)
        return DriverResult(
            picture, facts={"method": task.method, "queue_id": created.queue_id, "polls": polls}
        )

    async def check_health(self, api_key: str) -> None:
        """Asks which methods the plan has; that spends no attempt."""
        failure = failure_of(await self._ask("available_api", {"do": "create_queue"}, api_key))
        if failure is not None:
            raise failure

    async def close(self) -> None:
        """Nothing was opened."""

    async def _result_of(
        self, task: _Task, queue_id: str, request: DriverRequest
    ) -> tuple[TurbotextAnswer, int]:
        """Polls until the job is done; returns its answer with a link in it, and the number of polls."""
        ends = request.deadline.minus(_KEPT_FOR_DOWNLOAD)
        wait, polls, excuses = task.poll_interval, 0, 1
        while left := ends.remaining(self._clock.now()):
            await self._pause(min(wait, left))
            wait, polls = task.poll_interval, polls + 1
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    answer = await self._ask(
                        task.method, {"do": "get_result", "queueid": queue_id}, request.api_key
                    )
                if answer.pending:
                    continue
                _check_finished(answer)
            except (ProviderFault, NetworkFailed, TimeoutError):
                continue  # the job goes on whether or not we hear of it
            except QuotaExceeded as error:
                if error.retry_after is None or error.retry_after >= ends.remaining(self._clock.now()):
                    # It allows a repeat, but never gets one: a new job wants more time than was left here.
                    raise
                wait = max(wait, error.retry_after)
            except (UnreadableAnswer, NoImage):
                if not excuses:
                    raise
                excuses -= 1
            else:
                return answer, polls
        raise ProviderTimedOut(
            "Turbotext was not done before the deadline. The job goes on there, and is billed."
        )

    async def _ask(
        self, method: str, fields: Mapping[str, str], api_key: str, *, not_sent: Repeat | None = None
    ) -> TurbotextAnswer:
        async with self._http.request(
            "POST",
            f"/{method}",
            headers=_authorization(api_key),
            body=RequestBody("application/x-www-form-urlencoded", [urlencode(fields).encode()]),
            if_not_sent=not_sent,
        ) as answer:
            if answer.status != HTTPStatus.OK:
                header = answer.headers.get("Retry-After")
                raise refused(answer.status, retry_after=parse_retry_after(header, now=self._clock.now()))
            return parse_answer(await answer.read())

    async def _download(self, link: URL, request: DriverRequest) -> Path:
        """Fetches the picture, again where it is not there yet or something else came."""
        tries, spoiled = 1, False
        while True:
            try:
                return await self._fetch(link, request)
            except _NoPicture:
                if spoiled:
                    raise
                spoiled = True
            except (NetworkFailed, ProviderFault, _NotThere):
                if tries == _DOWNLOAD_TRIES:
                    raise
            tries += 1
            await self._pause(_DOWNLOAD_PAUSE)

    async def _fetch(self, link: URL, request: DriverRequest) -> Path:
        path = request.workspace.new_file(".image")
        own = link.origin() == URL(self._http.base_url).origin()
        headers = _authorization(request.api_key) if own else {}
        async with self._http.request("GET", str(link), headers=headers) as answer:
            _check_download(answer.status)
            await answer.save(path, _MOST_PICTURE_BYTES)
        if not await asyncio.to_thread(_is_picture, path):
            raise _NoPicture("Turbotext's link leads to something that is no picture.")
        return path


DRIVER: Final = DriverEntry(INFO, TurbotextDriver)


class _NoPicture(BadProviderResponse):
    """Something else than a picture came, for example a web page."""


class _NotThere(BadProviderResponse):
    """The result is not (yet) where the provider said."""


def _task_of(request: DriverRequest) -> _Task:
    if request.operation_id == IMAGE_EDIT:
        return _edit(request, EditSettings.model_validate(request.settings))
    if request.operation_id == IDENTITY_TRANSFER:
        return _swap(request, IdentitySettings.model_validate(request.settings))
    return _mix(request, StyleSettings.model_validate(request.settings))


def _edit(request: DriverRequest, settings: EditSettings) -> _Task:
    if not settings.prompt.strip():
        raise ProviderMisconfigured(
            "The prompt is empty once the booth's fields are in it. Give them defaults.", provider_calls=0
        )
    fields = {
        "content": settings.prompt,
        "strength": str(settings.strength),
        "scale": str(settings.scale),
        "original_language": settings.original_language,
    }
    if settings.seed:
        fields["seed"] = str(settings.seed)
    if settings.negative_prompt.strip():
        fields["negative_prompt"] = settings.negative_prompt
    interval = timedelta(seconds=settings.poll_interval_seconds)
    return _Task("generate_image2image", fields, {"url": request.photo}, interval)


def _mix(request: DriverRequest, settings: StyleSettings) -> _Task:
    fields = {"content": settings.prompt} if settings.prompt.strip() else {}
    pictures = {"url": _template(request, STYLE_ROLE), "url_image_target": request.photo}
    return _Task("mix_images", fields, pictures, timedelta(seconds=settings.poll_interval_seconds))


def _swap(request: DriverRequest, settings: IdentitySettings) -> _Task:
    # The two fields mean the reverse of what they mean for `mix_images`.
    replaced, face = _template(request, PERSON_ROLE), request.photo
    if settings.face_from == "template":
        replaced, face = face, replaced
    fields = {"face_restore": str(settings.face_restore)}  # literally `True` or `False`
    interval = timedelta(seconds=settings.poll_interval_seconds)
    return _Task("deepfake_photo", fields, {"url": replaced, "url_image_target": face}, interval)


def _template(request: DriverRequest, role: str) -> Picture:
    for template in request.templates:
        if template.role == role:
            return template.picture
    raise ProviderMisconfigured(f"The slot has no template image with the role '{role}'.", provider_calls=0)


async def _links_to(pictures: Mapping[str, Picture], request: DriverRequest) -> Mapping[str, str]:
    with collapse_group():
        async with asyncio.TaskGroup() as tasks:
            lent = {
                field: tasks.create_task(request.links.url_of(picture)) for field, picture in pictures.items()
            }
    return {field: task.result() for field, task in lent.items()}


def _check_finished(answer: TurbotextAnswer) -> None:
    failure = failure_of(answer)
    if failure is not None:
        raise failure
    if not answer.link:
        raise NoImage("Turbotext finished without a link to a picture.")


def _check_download(status: int) -> None:
    if status in _GONE:
        raise _NotThere("Turbotext's result is not where its link leads.")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ProviderFault(f"Turbotext cannot hand out the result ({status}).", httpStatus=str(status))
    if status != HTTPStatus.OK:
        raise BadProviderResponse(
            f"Turbotext does not hand out the result ({status}).", httpStatus=str(status)
        )


def _is_picture(path: Path) -> bool:
    with path.open("rb") as file:
        return sniff(file.read(_SNIFF_BYTES)) is not None


def _authorization(api_key: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {api_key}"}
