"""Where programs make their webhook secret, and see what was sent to their receivers."""

from dataclasses import dataclass, replace

from fastapi import APIRouter
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import PageQuery, json_answer
from photochanger_gateway.adapters.http.public import error_answers
from photochanger_gateway.adapters.http.v1.keyed import CurrentClient, Keyed
from photochanger_gateway.adapters.http.webhook_models import (
    DELIVERY_NOT_FOUND,
    DELIVERY_PENDING,
    DeliveryPath,
    NewWebhookSecretBody,
    WantedDeliveries,
    WebhookDeliveryBody,
    WebhookDeliveryDetailsBody,
    WebhookDeliveryListBody,
    WebhookSecretBody,
)
from photochanger_gateway.application.ports_clients import Webhooks
from photochanger_gateway.domain.clients import Scope


@dataclass(frozen=True, slots=True)
class ClientWebhookRoutes:
    """The routes of a client's webhooks."""

    keyed: Keyed
    webhooks: Webhooks

    def router(self) -> APIRouter:
        """The routes."""
        router = self.keyed.router(Scope.WEBHOOKS_MANAGE)
        router.add_api_route(
            "/api/v1/webhooks/secret",
            self._secret,
            methods=["GET"],
            operation_id="get_webhook_secret",
            summary="Since when the client has its webhook secret",
            responses={
                200: {"model": WebhookSecretBody, "description": "Never the secret itself."},
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
            responses={
                201: {"model": NewWebhookSecretBody, "description": "It is made."},
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
            responses={200: {"model": WebhookDeliveryListBody, "description": "A page of deliveries."}},
        )
        router.add_api_route(
            "/api/v1/webhooks/deliveries/{delivery_id}",
            self._get,
            methods=["GET"],
            operation_id="get_own_webhook_delivery",
            summary="A delivery with its attempts",
            responses={
                200: {"model": WebhookDeliveryDetailsBody, "description": "The delivery."},
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
            responses={
                202: {"model": WebhookDeliveryBody, "description": "It is pending again."},
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

    async def _list(self, client: CurrentClient, wanted: WantedDeliveries, page: PageQuery) -> Response:
        found = await self.webhooks.deliveries(replace(wanted, client_id=client.id), page)
        return json_answer(WebhookDeliveryListBody.of(found))

    async def _get(self, client: CurrentClient, delivery_id: DeliveryPath) -> Response:
        details = await self.webhooks.delivery(delivery_id, client_id=client.id)
        return json_answer(WebhookDeliveryDetailsBody.whole(details))

    async def _resend(self, client: CurrentClient, delivery_id: DeliveryPath) -> Response:
        delivery = await self.webhooks.resend(delivery_id, client_id=client.id, by=f"api-key:{client.key_id}")
        return json_answer(WebhookDeliveryBody.of(delivery), status=202)
