"""What was sent to the receivers of all API clients, for admins."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import CursorQuery, json_answer
from photochanger_gateway.adapters.http.public import COMMON_ERRORS
from photochanger_gateway.adapters.http.signed_in import CurrentAdmin, SignedIn
from photochanger_gateway.adapters.http.webhook_models import (
    DELIVERY_NOT_FOUND,
    DELIVERY_PENDING,
    ClientDeliveryBody,
    ClientDeliveryDetailsBody,
    ClientDeliveryListBody,
    DeliveryPath,
    InStateQuery,
    OfClientQuery,
    OfJobQuery,
)
from photochanger_gateway.application.audit import Audit
from photochanger_gateway.application.ports_admin import PageRequest
from photochanger_gateway.application.ports_clients import DeliveryFilter, Webhooks
from photochanger_gateway.domain.webhooks import DeliveryState


@dataclass(frozen=True, slots=True)
class WebhookRoutes:
    """The routes of all clients' webhooks."""

    signed_in: SignedIn
    webhooks: Webhooks
    audit: Audit

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["webhooks"], route_class=self.signed_in.route_class())
        router.add_api_route(
            "/api/webhooks/deliveries",
            self._list,
            methods=["GET"],
            operation_id="list_webhook_deliveries",
            summary="What was sent to clients' receivers, newest first",
            response_class=Response,
            responses={
                200: {"model": ClientDeliveryListBody, "description": "A page of deliveries."},
                **COMMON_ERRORS,
            },
        )
        router.add_api_route(
            "/api/webhooks/deliveries/{delivery_id}",
            self._get,
            methods=["GET"],
            operation_id="get_webhook_delivery",
            summary="A client's delivery with its attempts",
            response_class=Response,
            responses={
                200: {"model": ClientDeliveryDetailsBody, "description": "The delivery."},
                **COMMON_ERRORS,
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
            response_class=Response,
            responses={
                202: {"model": ClientDeliveryBody, "description": "It is pending again."},
                **COMMON_ERRORS,
                **DELIVERY_NOT_FOUND,
                **DELIVERY_PENDING,
            },
        )
        return router

    async def _list(
        self,
        *,
        client_id: OfClientQuery = "",
        job_id: OfJobQuery = "",
        state: InStateQuery = "",
        cursor: CursorQuery = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        wanted = DeliveryFilter(client_id, job_id, DeliveryState(state) if state else None)
        page = await self.webhooks.deliveries(wanted, PageRequest(limit, cursor))
        return json_answer(ClientDeliveryListBody.of(page))

    async def _get(self, delivery_id: DeliveryPath) -> Response:
        details = await self.webhooks.delivery(delivery_id, client_id="")
        return json_answer(ClientDeliveryDetailsBody.whole(details))

    async def _resend(self, admin: CurrentAdmin, delivery_id: DeliveryPath) -> Response:
        async with self.audit.entry(admin, "webhook.resend", target=delivery_id) as entry:
            delivery = await self.webhooks.resend(delivery_id, client_id="", by=admin.username)
            entry.add(client_id=delivery.client_id, job_id=delivery.job_id)
        return json_answer(ClientDeliveryBody.of(delivery), status=202)
