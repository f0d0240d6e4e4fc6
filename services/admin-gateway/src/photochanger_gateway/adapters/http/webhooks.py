"""What was sent to the receivers of all API clients, for admins."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import PageQuery, json_answer
from photochanger_gateway.adapters.http.models import JOB_ID_PATTERN
from photochanger_gateway.adapters.http.signed_in import CurrentAdmin, SignedIn
from photochanger_gateway.adapters.http.webhook_models import (
    DELIVERY_NOT_FOUND,
    DELIVERY_PENDING,
    ClientDeliveryBody,
    ClientDeliveryDetailsBody,
    ClientDeliveryListBody,
    DeliveryPath,
    WantedDeliveries,
)
from photochanger_gateway.application.audit import Audit
from photochanger_gateway.application.ports_clients import Webhooks

_OfClient = Annotated[
    str, Query(description="Only this client's; empty: all.", pattern=f"^$|{JOB_ID_PATTERN}", max_length=32)
]


@dataclass(frozen=True, slots=True)
class WebhookRoutes:
    """The routes of all clients' webhooks."""

    signed_in: SignedIn
    webhooks: Webhooks
    audit: Audit

    def router(self) -> APIRouter:
        """The routes."""
        router = self.signed_in.router("webhooks")
        router.add_api_route(
            "/api/webhooks/deliveries",
            self._list,
            methods=["GET"],
            operation_id="list_webhook_deliveries",
            summary="What was sent to clients' receivers, newest first",
            responses={200: {"model": ClientDeliveryListBody, "description": "A page of deliveries."}},
        )
        router.add_api_route(
            "/api/webhooks/deliveries/{delivery_id}",
            self._get,
            methods=["GET"],
            operation_id="get_webhook_delivery",
            summary="A client's delivery with its attempts",
            responses={
                200: {"model": ClientDeliveryDetailsBody, "description": "The delivery."},
                **DELIVERY_NOT_FOUND,
            },
        )
        router.add_api_route(
            "/api/webhooks/deliveries/{delivery_id}/resend",
            self._resend,
            methods=["POST"],
            operation_id="resend_webhook_delivery",
            summary="Send a client's delivery that is over once more",
            description="With all its attempts, also to a receiver that is switched off. Its id stays the same.",
            status_code=202,
            responses={
                202: {"model": ClientDeliveryBody, "description": "It is pending again."},
                **DELIVERY_NOT_FOUND,
                **DELIVERY_PENDING,
            },
        )
        return router

    async def _list(self, wanted: WantedDeliveries, page: PageQuery, client_id: _OfClient = "") -> Response:
        found = await self.webhooks.deliveries(replace(wanted, client_id=client_id), page)
        return json_answer(ClientDeliveryListBody.of(found))

    async def _get(self, delivery_id: DeliveryPath) -> Response:
        details = await self.webhooks.delivery(delivery_id, client_id="")
        return json_answer(ClientDeliveryDetailsBody.whole(details))

    async def _resend(self, admin: CurrentAdmin, delivery_id: DeliveryPath) -> Response:
        async with self.audit.entry(admin, "webhook.resend", target=delivery_id) as entry:
            delivery = await self.webhooks.resend(delivery_id, client_id="", by=admin.username)
            entry.add(client_id=delivery.client_id, job_id=delivery.job_id)
        return json_answer(ClientDeliveryBody.of(delivery), status=202)
