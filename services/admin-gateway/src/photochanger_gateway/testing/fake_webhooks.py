"""Webhooks that keep the contract of `protos/` in memory. Nothing is sent: tests say what became of a delivery."""

from datetime import timedelta
from typing import Final
from uuid import uuid4

from photochanger.ingest.v1 import webhook_service_pb2, webhook_service_pb2_grpc
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ErrorKind

from photochanger_gateway.adapters.clients.translate import timestamp
from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.script import Script, page_of

_BOTH_SIGN: Final = timedelta(hours=24)


class FakeWebhooks(webhook_service_pb2_grpc.WebhookServiceServicer):
    """Keeps secrets by client and deliveries, the oldest first."""

    def __init__(self, clock: Clock) -> None:
        self.script = Script()
        self.clock = clock
        self.secrets: dict[str, webhook_service_pb2.RotateWebhookSecretResponse] = {}
        self.deliveries: dict[str, webhook_service_pb2.WebhookDelivery] = {}
        self.attempts: dict[str, list[webhook_service_pb2.WebhookAttempt]] = {}
        """By delivery, the newest first."""
        self.any_delivery: webhook_service_pb2.WebhookDelivery | None = None
        """What every unknown id stands for, where a test cannot choose ids."""

    def add(
        self,
        *,
        client_id: str,
        job_id: str = "",
        state: webhook_service_pb2.WebhookDeliveryState.ValueType = (
            webhook_service_pb2.WEBHOOK_DELIVERY_STATE_DELIVERED
        ),
        failure_reason: str = "",
    ) -> webhook_service_pb2.WebhookDelivery:
        """Makes a delivery that was sent once: well if it is delivered, with a 500 otherwise."""
        now = self.clock.now()
        delivered = state == webhook_service_pb2.WEBHOOK_DELIVERY_STATE_DELIVERED
        delivery = webhook_service_pb2.WebhookDelivery(
            id=f"msg_{uuid4().hex}",
            client_id=client_id,
            job_id=job_id or uuid4().hex,
            type="job.finished",
            url="https://books.example/hook",
            state=state,
            attempts=1,
            failure_reason=failure_reason,
            last_status=204 if delivered else 500,
            created_at=timestamp(now),
            last_attempt_at=timestamp(now),
        )
        if state == webhook_service_pb2.WEBHOOK_DELIVERY_STATE_PENDING:
            delivery.next_attempt_at.CopyFrom(timestamp(now + timedelta(seconds=5)))
        attempt = webhook_service_pb2.WebhookAttempt(
            number=1,
            started_at=timestamp(now),
            status=delivery.last_status,
            error="" if delivered else "HTTP_STATUS",
        )
        attempt.duration.FromTimedelta(timedelta(milliseconds=120))
        self.deliveries[delivery.id], self.attempts[delivery.id] = delivery, [attempt]
        return delivery

    async def RotateWebhookSecret(  # noqa: N802 - gRPC's names, here and below
        self, request: webhook_service_pb2.RotateWebhookSecretRequest, context: object
    ) -> webhook_service_pb2.RotateWebhookSecretResponse:
        """See the proto."""
        await self.script.enter("RotateWebhookSecret", request)
        now = self.clock.now()
        made = webhook_service_pb2.RotateWebhookSecretResponse(
            secret=f"whsec_{len(self.script.of('RotateWebhookSecret')):043d}=", created_at=timestamp(now)
        )
        if request.client_id in self.secrets:
            made.previous_expires_at.CopyFrom(timestamp(now + _BOTH_SIGN))
        self.secrets[request.client_id] = made
        return made

    async def GetWebhookSecret(  # noqa: N802
        self, request: webhook_service_pb2.GetWebhookSecretRequest, context: object
    ) -> webhook_service_pb2.GetWebhookSecretResponse:
        """See the proto."""
        await self.script.enter("GetWebhookSecret", request)
        made = self.secrets.get(request.client_id)
        if made is None:
            raise a_refusal("WEBHOOK_SECRET_NOT_FOUND", ErrorKind.NOT_FOUND)
        told = webhook_service_pb2.GetWebhookSecretResponse(created_at=made.created_at)
        if made.HasField("previous_expires_at"):
            told.previous_expires_at.CopyFrom(made.previous_expires_at)
        return told

    async def ListWebhookDeliveries(  # noqa: N802
        self, request: webhook_service_pb2.ListWebhookDeliveriesRequest, context: object
    ) -> webhook_service_pb2.ListWebhookDeliveriesResponse:
        """See the proto."""
        await self.script.enter("ListWebhookDeliveries", request)
        wanted = [
            delivery
            for delivery in reversed(self.deliveries.values())
            if request.client_id in {"", delivery.client_id}
            and request.job_id in {"", delivery.job_id}
            and request.state in {webhook_service_pb2.WEBHOOK_DELIVERY_STATE_UNSPECIFIED, delivery.state}
        ]
        deliveries, token = page_of(wanted, request.page_size or 50, request.page_token)
        return webhook_service_pb2.ListWebhookDeliveriesResponse(deliveries=deliveries, next_page_token=token)

    async def GetWebhookDelivery(  # noqa: N802
        self, request: webhook_service_pb2.GetWebhookDeliveryRequest, context: object
    ) -> webhook_service_pb2.GetWebhookDeliveryResponse:
        """See the proto."""
        await self.script.enter("GetWebhookDelivery", request)
        delivery = self._delivery(request.delivery_id, request.client_id)
        return webhook_service_pb2.GetWebhookDeliveryResponse(
            delivery=delivery, attempts=self.attempts.get(delivery.id, [])
        )

    async def ResendWebhookDelivery(  # noqa: N802
        self, request: webhook_service_pb2.ResendWebhookDeliveryRequest, context: object
    ) -> webhook_service_pb2.ResendWebhookDeliveryResponse:
        """See the proto."""
        await self.script.enter("ResendWebhookDelivery", request)
        delivery = self._delivery(request.delivery_id, request.client_id)
        if delivery.state == webhook_service_pb2.WEBHOOK_DELIVERY_STATE_PENDING:
            raise a_refusal("WEBHOOK_DELIVERY_PENDING", ErrorKind.FAILED_PRECONDITION)
        delivery.state = webhook_service_pb2.WEBHOOK_DELIVERY_STATE_PENDING
        delivery.failure_reason = ""
        delivery.next_attempt_at.CopyFrom(timestamp(self.clock.now()))
        return webhook_service_pb2.ResendWebhookDeliveryResponse(delivery=delivery)

    def _delivery(self, delivery_id: str, client_id: str) -> webhook_service_pb2.WebhookDelivery:
        delivery = self.deliveries.get(delivery_id)
        if delivery is None and self.any_delivery is not None:
            delivery = webhook_service_pb2.WebhookDelivery()
            delivery.CopyFrom(self.any_delivery)
            delivery.id, delivery.client_id = delivery_id, client_id
        if delivery is None or client_id not in {"", delivery.client_id}:
            raise a_refusal("WEBHOOK_DELIVERY_NOT_FOUND", ErrorKind.NOT_FOUND)
        return delivery
