"""The log of webhook deliveries, and sending one once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import structlog
from photochanger_chassis.clock import Clock

from photochanger_ingest.application.store import Page
from photochanger_ingest.domain.errors import WebhookDeliveryNotFound
from photochanger_ingest.domain.ids import ClientId, DeliveryId, JobId
from photochanger_ingest.domain.webhook import Attempt, Delivery, DeliveryState

_log = structlog.stdlib.get_logger(__name__)

SHOWN_ATTEMPTS: Final = 50


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which deliveries to list, newest first; `before` is the position behind which to go on."""

    client_id: ClientId | None
    job_id: JobId | None
    state: DeliveryState | None
    limit: int
    before: int | None


class DeliveryLog(Protocol):
    """The deliveries in the database. Every method raises `Unavailable` while it cannot be reached."""

    async def list(self, query: DeliveryQuery) -> Page[Delivery]:
        """Returns deliveries, newest first."""
        ...

    async def get(self, delivery_id: DeliveryId) -> Delivery | None:
        """Returns a delivery."""
        ...

    async def attempts(self, delivery_id: DeliveryId, *, limit: int) -> Sequence[Attempt]:
        """Returns a delivery's last attempts, newest first."""
        ...

    async def resend(
        self, delivery_id: DeliveryId, *, client_id: ClientId | None, now: datetime
    ) -> Delivery | None:
        """Makes an ended delivery pending again, with a task to carry it. None: the client has no such delivery.

        Raises:
            WebhookDeliveryPending: it has not ended.
        """
        ...


class Webhooks:
    """A client sees its own deliveries only; without a client all of them are seen."""

    def __init__(self, log: DeliveryLog, clock: Clock) -> None:
        self._deliveries = log
        self._clock = clock

    async def list(self, query: DeliveryQuery) -> Page[Delivery]:
        """Returns a page of deliveries, newest first."""
        return await self._deliveries.list(query)

    async def get(
        self, delivery_id: DeliveryId, *, client_id: ClientId | None
    ) -> tuple[Delivery, Sequence[Attempt]]:
        """Returns a delivery and its last attempts, newest first. Raises `WebhookDeliveryNotFound`."""
        delivery = await self._deliveries.get(delivery_id)
        if delivery is None or (client_id is not None and delivery.client_id != client_id):
            raise WebhookDeliveryNotFound
        return delivery, await self._deliveries.attempts(delivery_id, limit=SHOWN_ATTEMPTS)

    async def resend(self, delivery_id: DeliveryId, *, client_id: ClientId | None, actor: str) -> Delivery:
        """Has a delivery that is over sent once more, with all its attempts.

        Raises:
            WebhookDeliveryNotFound: there is no such delivery of the client's.
            WebhookDeliveryPending: it is not over.
        """
        delivery = await self._deliveries.resend(delivery_id, client_id=client_id, now=self._clock.now())
        if delivery is None:
            raise WebhookDeliveryNotFound
        _log.info("webhook.resent", delivery_id=delivery_id, client_id=delivery.client_id, actor=actor)
        return delivery
