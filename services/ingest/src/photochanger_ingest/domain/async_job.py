"""Asynchronous jobs: what a client may ask for, and the job that comes of it."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_ingest.domain.errors import InputNotFound
from photochanger_ingest.domain.form import HashCheck
from photochanger_ingest.domain.ids import ClientId, JobId, MediaObjectId, SlotId, is_id
from photochanger_ingest.domain.job import Job, JobMode, JobSource, JobState
from photochanger_ingest.domain.picture import MediaKind, Picture
from photochanger_ingest.domain.slot import FailureMode, LateResults, Plan

USUAL_TIME_LIMIT: Final = timedelta(hours=1)
SHORTEST_TIME_LIMIT: Final = timedelta(minutes=1)
LONGEST_TIME_LIMIT: Final = timedelta(hours=24)
_PRIORITIES: Final = range(10)
_URL: Final = re.compile(r"[\x21-\x7e]{1,2000}")


@dataclass(frozen=True, slots=True)
class Order:
    """What a client wants made of a photo: as a slot does now (`slot_id`), or by a `plan` it names itself.

    An order that repeats a job (`retry_of`) has that one's slot, its version and its plan. `job_id` is the one the
    photo was uploaded under; None: a new one. `webhook_url` is whom to tell of the end.
    """

    client_id: ClientId
    input_media_object_id: MediaObjectId
    slot_id: SlotId | None
    plan: Plan | None
    job_id: JobId | None
    form_fields: Mapping[str, str]
    idempotency_key: str
    priority: int
    time_limit: timedelta | None
    webhook_url: str | None
    retry_of: JobId | None = None
    slot_version: int | None = None

    def require_sane(self) -> None:
        """Raises `InvalidArgument` for what no gateway of ours would pass on, and for a client's mistakes."""
        if violations := tuple(self._violations()):
            raise InvalidArgument("The job cannot be accepted.", field_violations=violations)

    def digest(self, photo_sha256: str) -> str:
        """Returns what tells one idempotent order from another: the photo and all that is wanted of it."""
        plan = self.plan
        wanted = [
            photo_sha256,
            self.slot_id,
            None
            if plan is None
            else [
                plan.provider_id,
                plan.operation_id,
                json.loads(plan.settings_json),
                [[template.media_object_id, template.role] for template in plan.templates],
                plan.output_format,
            ],
            sorted(self.form_fields.items()),
            self.priority,
            None if self.time_limit is None else self.time_limit.total_seconds(),
            self.webhook_url,
            self.retry_of,
        ]
        return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()

    def _violations(self) -> Iterator[FieldViolation]:
        if not is_id(self.client_id):
            yield FieldViolation("client_id", "32 lower-case hex digits")
        if self.job_id is not None and not is_id(self.job_id):
            yield FieldViolation("job_id", "32 lower-case hex digits")
        if self.slot_id is not None and "\0" in self.slot_id:
            yield FieldViolation("slot_id", "slot-001 to slot-015")
        if self.priority not in _PRIORITIES:
            yield FieldViolation("priority", "0 to 9")
        limit = self.time_limit
        if limit is not None and not SHORTEST_TIME_LIMIT <= limit <= LONGEST_TIME_LIMIT:
            yield FieldViolation("time_limit", "1 min to 24 h")
        if self.webhook_url is not None and not _is_url(self.webhook_url):
            yield FieldViolation(
                "webhook_url", "an http or https URL of at most 2000 ASCII characters, without a user's name"
            )


def photo_of(order: Order, photo: Picture | None, now: datetime) -> Picture:
    """Returns the photo an order is for.

    Anybody's temporary object will do, whose id nobody can guess; an input belongs to the job it was uploaded for,
    and to the one that repeats it.

    Raises:
        InputNotFound: there is none, it is something else, or it ends too soon to be worked on.
    """
    fits = photo is not None and (
        photo.kind is MediaKind.TEMPORARY
        or (photo.kind is MediaKind.INPUT and (order.retry_of is not None or photo.job_id == order.job_id))
    )
    if photo is None or not fits:
        raise InputNotFound(order.input_media_object_id)
    if photo.expires_at is not None and photo.expires_at - now < SHORTEST_TIME_LIMIT:
        raise InputNotFound(order.input_media_object_id)
    return photo


def accepted(
    order: Order, photo: Picture, plan: Plan, *, job_id: JobId, slot_version: int | None, now: datetime
) -> Job:
    """Returns the new job of an order. Its deadline is never past the end of its photo."""
    deadline = now + (order.time_limit or USUAL_TIME_LIMIT)
    if photo.expires_at is not None:
        deadline = min(deadline, photo.expires_at)
    return Job(
        id=job_id,
        slot_id=order.slot_id,
        slot_version=slot_version,
        state=JobState.PENDING,
        source=JobSource.API,
        provider_id=plan.provider_id,
        operation_id=plan.operation_id,
        received_at=now,
        created_at=now,
        deadline=deadline,
        input_media_object_id=photo.id,
        hash_check=HashCheck.UNCHECKED,
        mode=JobMode.ASYNC,
        client_id=order.client_id,
        retry_of=order.retry_of,
    )


def for_clients(plan: Plan) -> Plan:
    """Returns a slot's plan as clients get it: they are told of failures, and nothing comes after the deadline."""
    return replace(plan, on_failure=FailureMode.ERROR, late_results=LateResults.DISCARD)


def _is_url(text: str) -> bool:
    if _URL.fullmatch(text) is None:
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    # A name and password in a URL would be in every log on the way.
    return (
        parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and "@" not in parts.netloc
    )
