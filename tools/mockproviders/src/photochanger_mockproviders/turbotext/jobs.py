"""The jobs the Turbotext mock has accepted, from queue to downloaded picture."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from .. import pictures
from ..pictures import PictureFormat
from ..script import Behaviour
from .forms import Fields, Method
from .knobs import TurbotextKnob
from .photos import Fetch

_KEPT = 256
_FIRST_ID = 12345
_LONGEST_PX = 1024


@dataclass(frozen=True, slots=True)
class Result:
    """A finished picture."""

    data: bytes
    info: pictures.PictureInfo


@dataclass(slots=True)
class Job:
    """One job. `reconnects`, `hiccups` and `downloads` count what was answered so far."""

    method: Method
    fields: Fields
    behaviour: Behaviour[TurbotextKnob]
    ready_at: datetime
    queue_id: int = 0
    photo: bytes | None = None
    result: Result | None = None
    fetched: bool = False
    reconnects: int = 0
    hiccups: int = 0
    downloads: int = 0

    @property
    def name(self) -> str:
        """The result's file name."""
        return f"{self.method.name}_id{self.queue_id}_0.png"


class Jobs:
    """The latest jobs; older ones are forgotten so that a long run does not fill the memory."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[int, Job] = OrderedDict()
        self._next_id = _FIRST_ID

    def add(self, job: Job) -> None:
        """Accepts a job and gives it the next number."""
        job.queue_id = self._next_id
        self._next_id += 1
        self._jobs[job.queue_id] = job
        if len(self._jobs) > _KEPT:
            self._jobs.popitem(last=False)

    def find(self, queue_id: str, method: str) -> Job | None:
        """The job, if it was created under the same method."""
        job = self._jobs.get(int(queue_id)) if queue_id.isascii() and queue_id.isdigit() else None
        return job if job is not None and job.method.name == method else None

    def by_name(self, name: str) -> Job | None:
        """The job whose result is called so."""
        return next((job for job in reversed(self._jobs.values()) if job.name == name), None)


def pick_photo(method: Method, fetched: list[tuple[Fetch, bytes]]) -> bytes | None:
    """The picture that the method changes, of those it was given."""
    return next((data for fetch, data in fetched if fetch.field == method.photo_field), None)


def draw(job: Job, fixed: bytes | None) -> Result:
    """Makes the job's picture. For a thread: takes up to a second."""
    if fixed is not None:
        return Result(fixed, pictures.inspect_header(fixed))
    if job.photo is None:
        raise ValueError("a job without a photo has no picture")
    if TurbotextKnob.SAME_IMAGE in job.behaviour:
        return Result(job.photo, pictures.inspect_header(job.photo))
    source = pictures.inspect_header(job.photo)
    width, height = pictures.fit_within(source.width_px, source.height_px, _LONGEST_PX)
    if TurbotextKnob.BLANK_IMAGE in job.behaviour:
        data = pictures.blank(width, height, PictureFormat.PNG)
    else:
        data = pictures.edit(
            job.photo,
            width_px=width,
            height_px=height,
            label=f"mock turbotext {job.method.name}",
            file_format=PictureFormat.PNG,
        )
    return Result(data, pictures.PictureInfo(PictureFormat.PNG.mime_type, width, height))
