"""`WebhookService`."""

from typing import Any, Final

import grpc
from google.protobuf.duration_pb2 import Duration
from photochanger.ingest.v1 import webhook_service_pb2, webhook_service_pb2_grpc

from photochanger_ingest.adapters.grpc.fields import invalid, page_size, page_token, position, value_of
from photochanger_ingest.adapters.messages import timestamp
from photochanger_ingest.application.webhook_secrets import WebhookSecrets
from photochanger_ingest.application.webhooks import DeliveryQuery, Webhooks
from photochanger_ingest.domain.errors import WebhookDeliveryNotFound
from photochanger_ingest.domain.ids import ClientId, DeliveryId, JobId, is_delivery_id, is_id
from photochanger_ingest.domain.webhook import Attempt, Delivery, DeliveryState

_Context = grpc.aio.ServicerContext[Any, Any]

_STATES: Final = {
    DeliveryState.PENDING: webhook_service_pb2.WEBHOOK_DELIVERY_STATE_PENDING,
    DeliveryState.DELIVERED: webhook_service_pb2.WEBHOOK_DELIVERY_STATE_DELIVERED,
    DeliveryState.FAILED: webhook_service_pb2.WEBHOOK_DELIVERY_STATE_FAILED,
}
_STATES_BACK: Final = {number: state for state, number in _STATES.items()}


class WebhookServicer(webhook_service_pb2_grpc.WebhookServiceServicer):
    """Translates calls into use cases."""

    def __init__(self, secrets: WebhookSecrets, webhooks: Webhooks) -> None:
        self._secrets = secrets
        self._webhooks = webhooks

    async def RotateWebhookSecret(  # noqa: N802 - gRPC's name
        self, request: webhook_service_pb2.RotateWebhookSecretRequest, context: _Context
    ) -> webhook_service_pb2.RotateWebhookSecretResponse:
        """See the contract."""
        secret, age = await self._secrets.rotate(_required_client(request.client_id))
        until = age.previous_expires_at
        return webhook_service_pb2.RotateWebhookSecretResponse(
            secret=secret,
            created_at=timestamp(age.created_at),
            previous_expires_at=None if until is None else timestamp(until),
        )

    async def GetWebhookSecret(  # noqa: N802 - gRPC's name
        self, request: webhook_service_pb2.GetWebhookSecretRequest, context: _Context
    ) -> webhook_service_pb2.GetWebhookSecretResponse:
        """See the contract."""
        age = await self._secrets.age(_required_client(request.client_id))
        until = age.previous_expires_at
        return webhook_service_pb2.GetWebhookSecretResponse(
            created_at=timestamp(age.created_at),
            previous_expires_at=None if until is None else timestamp(until),
        )

    async def ListWebhookDeliveries(  # noqa: N802 - gRPC's name
        self, request: webhook_service_pb2.ListWebhookDeliveriesRequest, context: _Context
    ) -> webhook_service_pb2.ListWebhookDeliveriesResponse:
        """See the contract."""
        if request.job_id and not is_id(request.job_id):
            raise invalid("job_id", "32 lower-case hex digits")
        page = await self._webhooks.list(
            DeliveryQuery(
                client_id=_client(request.client_id),
                job_id=JobId(request.job_id) if request.job_id else None,
                state=value_of(_STATES_BACK, request.state, field="state", unset=None),
                limit=page_size(request.page_size, default=50, most=200),
                before=position(request.page_token),
            )
        )
        return webhook_service_pb2.ListWebhookDeliveriesResponse(
            deliveries=[_message(delivery) for delivery in page.items], next_page_token=page_token(page.next)
        )

    async def GetWebhookDelivery(  # noqa: N802 - gRPC's name
        self, request: webhook_service_pb2.GetWebhookDeliveryRequest, context: _Context
    ) -> webhook_service_pb2.GetWebhookDeliveryResponse:
        """See the contract."""
        delivery, attempts = await self._webhooks.get(
            _delivery_id(request.delivery_id), client_id=_client(request.client_id)
        )
        return webhook_service_pb2.GetWebhookDeliveryResponse(
            delivery=_message(delivery), attempts=[_attempt(attempt) for attempt in attempts]
        )

    async def ResendWebhookDelivery(  # noqa: N802 - gRPC's name
        self, request: webhook_service_pb2.ResendWebhookDeliveryRequest, context: _Context
    ) -> webhook_service_pb2.ResendWebhookDeliveryResponse:
        """See the contract."""
        if not request.actor:
            raise invalid("actor", "who wants it")
        delivery = await self._webhooks.resend(
            _delivery_id(request.delivery_id), client_id=_client(request.client_id), actor=request.actor[:80]
        )
        return webhook_service_pb2.ResendWebhookDeliveryResponse(delivery=_message(delivery))


def _client(text: str) -> ClientId | None:
    return _required_client(text) if text else None


def _required_client(text: str) -> ClientId:
    if not is_id(text):
        raise invalid("client_id", "32 lower-case hex digits")
    return ClientId(text)


def _delivery_id(text: str) -> DeliveryId:
    if not is_delivery_id(text):
        raise WebhookDeliveryNotFound
    return DeliveryId(text)


def _message(delivery: Delivery) -> webhook_service_pb2.WebhookDelivery:
    last, following = delivery.last_attempt_at, delivery.next_attempt_at
    return webhook_service_pb2.WebhookDelivery(
        id=delivery.id,
        client_id=delivery.client_id,
        job_id=delivery.job_id,
        type=delivery.type,
        url=delivery.shown_url,
        state=_STATES[delivery.state],
        attempts=delivery.attempts,
        failure_reason=delivery.failure or "",
        last_status=delivery.last_status or 0,
        created_at=timestamp(delivery.created_at),
        last_attempt_at=None if last is None else timestamp(last),
        next_attempt_at=None if following is None else timestamp(following),
    )


def _attempt(attempt: Attempt) -> webhook_service_pb2.WebhookAttempt:
    duration = Duration()
    duration.FromTimedelta(attempt.sent.duration)
    return webhook_service_pb2.WebhookAttempt(
        number=attempt.number,
        started_at=timestamp(attempt.sent.started_at),
        duration=duration,
        status=attempt.sent.status or 0,
        error=attempt.sent.error or "",
    )
