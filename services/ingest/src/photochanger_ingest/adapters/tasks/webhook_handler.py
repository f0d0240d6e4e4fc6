"""Runs the tasks of `webhook.deliver`: says by its errors when the engine is to try again."""

from datetime import timedelta
from typing import assert_never

from photochanger.ingest.v1.webhook_tasks_pb2 import DeliverWebhook as Payload
from photochanger_chassis.errors import ErrorKind, ServiceError
from photochanger_tasks import Attempt, Deferred, Failed

from photochanger_ingest.application.deliver_webhook import DeliverWebhook, TooEarly
from photochanger_ingest.domain.ids import DeliveryId
from photochanger_ingest.domain.webhook import Again, Delivered, GivenUp


class WebhookNotDelivered(ServiceError):
    """The receiver could not take the message; it is sent again. Nobody but the engine sees this."""

    kind, reason = ErrorKind.UNAVAILABLE, "WEBHOOK_NOT_DELIVERED"

    def __init__(self, pause: timedelta) -> None:
        super().__init__("The receiver did not take the message.", retry_after=pause)


class WebhookHandler:
    """One attempt at a delivery."""

    def __init__(self, deliver: DeliverWebhook) -> None:
        self._deliver = deliver

    async def __call__(self, attempt: Attempt[Payload]) -> None:
        """Makes an attempt.

        Raises:
            WebhookNotDelivered: it has failed, and is repeated.
            Failed: the delivery is given up.
            Deferred: it is not due yet.
        """
        match await self._deliver(DeliveryId(attempt.payload.delivery_id)):
            case Delivered():
                return
            case Again(pause):
                raise WebhookNotDelivered(pause)
            case GivenUp() as why:
                raise Failed(why.lower(), "The delivery was given up; see the log of deliveries.")
            case TooEarly(pause):
                raise Deferred(pause, "not_due")
            case never:
                assert_never(never)
