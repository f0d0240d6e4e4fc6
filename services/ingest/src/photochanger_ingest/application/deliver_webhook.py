"""Brings a message to its receiver: one attempt at a time, at least once in all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from photochanger_chassis import crashpoints
from photochanger_chassis.clock import Clock

from photochanger_ingest.application.metrics import WebhookMetrics
from photochanger_ingest.application.webhook_secrets import WebhookSecretStore
from photochanger_ingest.domain.ids import DeliveryId
from photochanger_ingest.domain.webhook import Again, Delivered, Delivery, GivenUp, Schedule, Sent, Verdict
from photochanger_ingest.domain.webhook_signature import signed_headers

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is to be sent, as it is now.

    `tries` are its attempts since the last resend, which `insists` on receivers that are switched off.
    """

    delivery: Delivery
    body: bytes
    tries: int
    insists: bool
    switched_off: bool
    client_active: bool


@dataclass(frozen=True, slots=True)
class TooEarly:
    """Its next attempt is not due for so long."""

    pause: timedelta


class DueDeliveries(Protocol):
    """The deliveries in the database. Every method raises `Unavailable` while it cannot be reached."""

    async def due(self, delivery_id: DeliveryId) -> Due | None:
        """Returns a delivery to be sent; None: it is over, or its time in the log is."""
        ...

    async def note(self, delivery: Delivery, sent: Sent, *, next_attempt_at: datetime | None) -> None:
        """Adds an attempt to the log. A good answer switches its receiver on, 410 off."""
        ...


class Receivers(Protocol):
    """Sends messages to where clients want them."""

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sent:
        """Sends a message once. Whatever goes wrong is in the answer."""
        ...


class DeliverWebhook:
    """One attempt. The end of a delivery is stored by who calls this, with the end of its task."""

    def __init__(
        self,
        deliveries: DueDeliveries,
        secrets: WebhookSecretStore,
        receivers: Receivers,
        schedule: Schedule,
        *,
        clock: Clock,
        chance: Callable[[], float],
        metrics: WebhookMetrics,
    ) -> None:
        self._deliveries = deliveries
        self._secrets = secrets
        self._receivers = receivers
        self._schedule = schedule
        self._clock = clock
        self._chance = chance
        self._metrics = metrics

    async def __call__(self, delivery_id: DeliveryId) -> Verdict | TooEarly:
        """Sends a message, unless nobody wants it any more, and returns what follows.

        Raises:
            WebhooksNotConfigured: the client's secret cannot be opened.
            Unavailable: the database cannot be reached. If the message was sent, it is sent again.
        """
        due = await self._deliveries.due(delivery_id)
        if due is None:
            return Delivered()
        now = self._clock.now()
        if due.delivery.next_attempt_at is not None and due.delivery.next_attempt_at > now:
            return TooEarly(due.delivery.next_attempt_at - now)
        if due.switched_off and not due.insists:
            return GivenUp.SWITCHED_OFF
        if not due.client_active:
            return GivenUp.CLIENT_REVOKED
        secrets = await self._secrets.alive(due.delivery.client_id, now)
        headers = signed_headers(delivery_id, due.body, at=now, secrets=secrets)
        sent = await self._receivers.send(due.delivery.url, due.body, headers)
        crashpoints.reach("webhook.after_send")
        verdict = self._schedule.verdict(sent, tries=due.tries + 1, chance=self._chance)
        again_at = self._clock.now() + verdict.pause if isinstance(verdict, Again) else None
        await self._deliveries.note(due.delivery, sent, next_attempt_at=again_at)
        self._metrics.attempted(sent)
        _log.info(
            "webhook.sent",
            delivery_id=delivery_id,
            status=sent.status,
            error=sent.error,
            duration_seconds=sent.duration.total_seconds(),
        )
        return verdict
