"""Where programs make their webhook secret, and see what was sent to their receivers."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import CursorQuery, json_answer
from photochanger_gateway.adapters.http.public import COMMON_ERRORS, error_answers
from photochanger_gateway.adapters.http.v1.keyed import CurrentClient, Keyed
from photochanger_gateway.adapters.http.webhook_models import (
    DELIVERY_NOT_FOUND,
    DELIVERY_PENDING,
    DeliveryPath,
    InStateQuery,
    NewWebhookSecretBody,
    OfJobQuery,
    WebhookDeliveryBody,
    WebhookDeliveryDetailsBody,
    WebhookDeliveryListBody,
    WebhookSecretBody,
)
from photochanger_gateway.application.ports_admin import PageRequest
from photochanger_gateway.application.ports_clients import DeliveryFilter, Webhooks
from photochanger_gateway.domain.clients import Scope
from photochanger_gateway.domain.webhooks import DeliveryState


@dataclass(frozen=True, slots=True)
class ClientWebhookRoutes:
    """The routes of a client's webhooks."""

    keyed: Keyed
    webhooks: Webhooks

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["programs"], route_class=self.keyed.route_class(Scope.WEBHOOKS_MANAGE))
        router.add_api_route(
            "/api/v1/webhooks/secret",
            self._secret,
            methods=["GET"],
            operation_id="get_webhook_secret",
            summary="Since when the client has its webhook secret",
            response_class=Response,
            responses={
                200: {"model": WebhookSecretBody, "description": "Never the secret itself."},
                **COMMON_ERRORS,
                **error_answers(s404="It has none: `webhook_secret_not_found`."),
            },
        )
        router.add_api_route(
            "/api/v1/webhooks/secret",
            self._rotate,
            methods=["POST"],
            operation_id="rotate_webhook_secret",
            summary="Make a webhook secret, or a new one",
            description="The answer holds the secret itself, this once. The one before signs beside it for 24 h.",
            status_code=201,
            response_class=Response,
            responses={
                201: {"model": NewWebhookSecretBody, "description": "It is made."},
                **COMMON_ERRORS,
                **error_answers(
                    s501="The platform has no key to keep secrets with: `webhooks_not_configured`."
                ),
            },
        )
        router.add_api_route(
            "/api/v1/webhooks/deliveries",
            self._list,
            methods=["GET"],
            operation_id="list_own_webhook_deliveries",
            summary="What was sent to the client's receivers, newest first",
            response_class=Response,
            responses={
                200: {"model": WebhookDeliveryListBody, "description": "A page of deliveries."},
                **COMMON_ERRORS,
            },
        )
        router.add_api_route(
            "/api/v1/webhooks/deliveries/{delivery_id}",
            self._get,
            methods=["GET"],
            operation_id="get_own_webhook_delivery",
            summary="A delivery with its attempts",
            response_class=Response,
            responses={
                200: {"model": WebhookDeliveryDetailsBody, "description": "The delivery."},
                **COMMON_ERRORS,
                **DELIVERY_NOT_FOUND,
            },
        )
        router.add_api_route(
            "/api/v1/webhooks/deliveries/{delivery_id}/resend",
            self._resend,
            methods=["POST"],
            operation_id="resend_own_webhook_delivery",
            summary="Send a delivery that is over once more",
            description="With all its attempts, also to a receiver that is switched off. Its id stays the same.",
            status_code=202,
            response_class=Response,
            responses={
                202: {"model": WebhookDeliveryBody, "description": "It is pending again."},
                **COMMON_ERRORS,
                **DELIVERY_NOT_FOUND,
                **DELIVERY_PENDING,
            },
        )
        return router

    async def _secret(self, client: CurrentClient) -> Response:
        return json_answer(WebhookSecretBody.of(await self.webhooks.secret(client.id)))

    async def _rotate(self, client: CurrentClient) -> Response:
        return json_answer(
            NewWebhookSecretBody.made(await self.webhooks.rotate_secret(client.id)), status=201
        )

    async def _list(
        self,
        client: CurrentClient,
        *,
        job_id: OfJobQuery = "",
        state: InStateQuery = "",
        cursor: CursorQuery = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        wanted = DeliveryFilter(client.id, job_id, DeliveryState(state) if state else None)
        page = await self.webhooks.deliveries(wanted, PageRequest(limit, cursor))
        return json_answer(WebhookDeliveryListBody.of(page))

    async def _get(self, client: CurrentClient, delivery_id: DeliveryPath) -> Response:
        details = await self.webhooks.delivery(delivery_id, client_id=client.id)
        return json_answer(WebhookDeliveryDetailsBody.whole(details))

    async def _resend(self, client: CurrentClient, delivery_id: DeliveryPath) -> Response:
        delivery = await self.webhooks.resend(delivery_id, client_id=client.id, by=f"api-key:{client.key_id}")
        return json_answer(WebhookDeliveryBody.of(delivery), status=202)
