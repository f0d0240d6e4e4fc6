"""What the routes of programs, and the admins' pages about them, need of the other services.

Every method raises `ServiceError` with the owning service's reason. With a `client_id` a job, or a delivery, of anybody
else is not found; empty: anybody's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from photochanger_chassis.deadline import Deadline

from photochanger_gateway.application.ports_admin import Page, PageRequest
from photochanger_gateway.domain.clients import ApiKey, NewKey, Scope
from photochanger_gateway.domain.jobs import Job, JobState, PlacedJob
from photochanger_gateway.domain.queues import Queue, Task, Worker
from photochanger_gateway.domain.slots import OutputFormat, TemplateImage
from photochanger_gateway.domain.webhooks import (
    Delivery,
    DeliveryDetails,
    DeliveryState,
    NewWebhookSecret,
    WebhookSecret,
)


class ApiKeys(Protocol):
    """The keys of API clients."""

    async def create(self, name: str, scopes: frozenset[Scope], *, client_id: str, by: str) -> NewKey:
        """Makes a key, for a client that is there already or (empty) a new one."""
        ...

    async def list(self, page: PageRequest) -> Page[ApiKey]:
        """Returns keys, newest first, revoked ones too."""
        ...

    async def revoke(self, key_id: str, *, by: str) -> ApiKey:
        """Makes a key void. Revoking twice is no error."""
        ...

    async def verify(self, secret: str) -> ApiKey:
        """Says whose key this is. Raises `INVALID_API_KEY`."""
        ...


@dataclass(frozen=True, slots=True)
class ExplicitOrder:
    """What to make of a photo, named by the client itself."""

    provider: str
    operation: str
    settings: Mapping[str, object] = field(default_factory=dict)
    template_media: tuple[TemplateImage, ...] = ()
    output_format: OutputFormat = OutputFormat.AS_IS


@dataclass(frozen=True, slots=True)
class Order:
    """A photo's way: through a slot as it is now (its id), or as named. None: as usual."""

    way: str | ExplicitOrder
    form_fields: Mapping[str, str] = field(default_factory=dict)
    priority: int | None = None
    time_limit: timedelta | None = None
    webhook_url: str = ""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be opened. `id` is empty for a photo that was uploaded before, which several jobs may share."""

    client_id: str
    id: str
    media_object_id: str
    order: Order
    idempotency_key: str


class AsyncJobs(Protocol):
    """Jobs for which nobody holds a connection."""

    async def open(self, new: NewJob) -> tuple[Job, bool]:
        """Accepts a job; true: it was there already, and the photo sent with this request belongs to nobody.

        Raises `NoWebhookSecret`: it has a webhook, which nothing could sign.
        """
        ...

    async def get(self, job_id: str, *, client_id: str, wait_until: Deadline | None = None) -> PlacedJob:
        """Returns a job, at once, or when it is final, by `wait_until` at the latest."""
        ...

    async def list(self, client_id: str, states: tuple[JobState, ...], page: PageRequest) -> Page[Job]:
        """Returns jobs, newest first."""
        ...

    async def cancel(self, job_id: str, *, client_id: str) -> Job:
        """Stops a job. Stopping it twice is no error. Raises `JOB_ALREADY_FINAL`."""
        ...

    async def retry(
        self, job_id: str, *, client_id: str, idempotency_key: str, time_limit: timedelta | None
    ) -> tuple[Job, bool]:
        """Accepts a new job like a final one; true: it was there already. Raises `JOB_NOT_FINAL`."""
        ...


class Queues(Protocol):
    """The queues of one service."""

    async def list(self) -> tuple[Queue, ...]:
        """Returns all its queues by name."""
        ...

    async def workers(self) -> tuple[Worker, ...]:
        """Returns its workers alive, the oldest first."""
        ...

    async def dead(self, queue: str, page: PageRequest) -> Page[Task]:
        """Returns a queue's dead tasks, the latest first."""
        ...

    async def requeue(self, task_id: str, *, by: str) -> Task:
        """Gives a dead task all its attempts anew. Raises `TASK_NOT_FOUND`, `TASK_NOT_DEAD`."""
        ...

    async def drop(self, task_id: str, *, by: str) -> Task:
        """Gives a dead task up for good. Raises `TASK_NOT_FOUND`, `TASK_NOT_DEAD`."""
        ...


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries; empty and None: all."""

    client_id: str = ""
    job_id: str = ""
    state: DeliveryState | None = None


class Webhooks(Protocol):
    """Messages to clients' receivers, and the secrets they are signed with."""

    async def secret(self, client_id: str) -> WebhookSecret:
        """Tells of a client's secret. Raises `WEBHOOK_SECRET_NOT_FOUND`."""
        ...

    async def rotate_secret(self, client_id: str) -> NewWebhookSecret:
        """Makes a client's secret, or a new one. Raises `WEBHOOKS_NOT_CONFIGURED`."""
        ...

    async def deliveries(self, wanted: DeliveryFilter, page: PageRequest) -> Page[Delivery]:
        """Returns deliveries, newest first."""
        ...

    async def delivery(self, delivery_id: str, *, client_id: str) -> DeliveryDetails:
        """Returns a delivery with its attempts. Raises `WEBHOOK_DELIVERY_NOT_FOUND`."""
        ...

    async def resend(self, delivery_id: str, *, client_id: str, by: str) -> Delivery:
        """Makes a delivery that is over pending again. Raises `WEBHOOK_DELIVERY_PENDING`."""
        ...
