"""Webhooks of API clients, which ingest sends, over gRPC."""

from typing import Final

import grpc.aio
from photochanger.ingest.v1 import webhook_service_pb2
from photochanger.ingest.v1.webhook_service_pb2_grpc import WebhookServiceStub
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.application.ports_admin import Page, PageRequest
from photochanger_gateway.application.ports_clients import DeliveryFilter
from photochanger_gateway.domain.webhooks import (
    Delivery,
    DeliveryAttempt,
    DeliveryDetails,
    DeliveryState,
    NewWebhookSecret,
    WebhookSecret,
)

_QUICK_SECONDS: Final = 5.0
# A state we do not know yet counts as not over.
_STATES: Final = {
    webhook_service_pb2.WEBHOOK_DELIVERY_STATE_PENDING: DeliveryState.PENDING,
    webhook_service_pb2.WEBHOOK_DELIVERY_STATE_DELIVERED: DeliveryState.DELIVERED,
    webhook_service_pb2.WEBHOOK_DELIVERY_STATE_FAILED: DeliveryState.FAILED,
}
_ANY_STATE: Final = webhook_service_pb2.WEBHOOK_DELIVERY_STATE_UNSPECIFIED
_STATES_BACK: Final = {ours: theirs for theirs, ours in _STATES.items()}


class GrpcWebhooks:
    """Keeps the promises of `application.ports_clients.Webhooks`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._webhooks = WebhookServiceStub(channel)

    async def secret(self, client_id: str) -> WebhookSecret:
        """See the port."""
        request = webhook_service_pb2.GetWebhookSecretRequest(client_id=client_id)
        with translate_rpc_errors():
            answer = await self._webhooks.GetWebhookSecret(request, timeout=_QUICK_SECONDS)
        return _secret(answer)

    async def rotate_secret(self, client_id: str) -> NewWebhookSecret:
        """See the port."""
        request = webhook_service_pb2.RotateWebhookSecretRequest(client_id=client_id)
        with translate_rpc_errors():
            answer = await self._webhooks.RotateWebhookSecret(request, timeout=_QUICK_SECONDS)
        return NewWebhookSecret(_secret(answer), answer.secret)

    async def deliveries(self, wanted: DeliveryFilter, page: PageRequest) -> Page[Delivery]:
        """See the port."""
        request = webhook_service_pb2.ListWebhookDeliveriesRequest(
            client_id=wanted.client_id,
            job_id=wanted.job_id,
            state=_ANY_STATE if wanted.state is None else _STATES_BACK[wanted.state],
            page_size=page.size,
            page_token=page.cursor,
        )
        with translate_rpc_errors():
            answer = await self._webhooks.ListWebhookDeliveries(request, timeout=_QUICK_SECONDS)
        return Page(tuple(_delivery(item) for item in answer.deliveries), answer.next_page_token)

    async def delivery(self, delivery_id: str, *, client_id: str) -> DeliveryDetails:
        """See the port."""
        request = webhook_service_pb2.GetWebhookDeliveryRequest(delivery_id=delivery_id, client_id=client_id)
        with translate_rpc_errors():
            answer = await self._webhooks.GetWebhookDelivery(request, timeout=_QUICK_SECONDS)
        return DeliveryDetails(_delivery(answer.delivery), tuple(_attempt(item) for item in answer.attempts))

    async def resend(self, delivery_id: str, *, client_id: str, by: str) -> Delivery:
        """See the port."""
        request = webhook_service_pb2.ResendWebhookDeliveryRequest(
            delivery_id=delivery_id, client_id=client_id, actor=by
        )
        with translate_rpc_errors():
            answer = await self._webhooks.ResendWebhookDelivery(request, timeout=_QUICK_SECONDS)
        return _delivery(answer.delivery)


def _secret(
    message: webhook_service_pb2.GetWebhookSecretResponse | webhook_service_pb2.RotateWebhookSecretResponse,
) -> WebhookSecret:
    return WebhookSecret(
        created_at=translate.instant(message.created_at),
        previous_expires_at=translate.some_instant(message, "previous_expires_at"),
    )


def _delivery(message: webhook_service_pb2.WebhookDelivery) -> Delivery:
    return Delivery(
        id=message.id,
        client_id=message.client_id,
        job_id=message.job_id,
        type=message.type,
        url=message.url,
        state=_STATES.get(message.state, DeliveryState.PENDING),
        attempts_made=message.attempts,
        failure_reason=message.failure_reason,
        last_status=message.last_status or None,
        created_at=translate.instant(message.created_at),
        last_attempt_at=translate.some_instant(message, "last_attempt_at"),
        next_attempt_at=translate.some_instant(message, "next_attempt_at"),
    )


def _attempt(message: webhook_service_pb2.WebhookAttempt) -> DeliveryAttempt:
    return DeliveryAttempt(
        number=message.number,
        started_at=translate.instant(message.started_at),
        duration=message.duration.ToTimedelta(),
        status=message.status or None,
        error=message.error,
    )
