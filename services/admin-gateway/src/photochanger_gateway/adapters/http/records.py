"""What admins look back at: galleries, shared or not, and the record of what admins did."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import (
    SLOT_NOT_FOUND,
    CursorQuery,
    PageQuery,
    SlotPath,
    json_answer,
)
from photochanger_gateway.adapters.http.record_models import (
    GalleriesBody,
    GalleryPageBody,
    RecordBody,
    RecordListBody,
)
from photochanger_gateway.adapters.http.signed_in import SignedIn
from photochanger_gateway.adapters.http.urls import BaseUrl
from photochanger_gateway.application.job_views import GalleryViews
from photochanger_gateway.application.ports_admin import Jobs, PageRequest, RecordFilter, Records
from photochanger_gateway.domain.jobs import Gallery

_Text = Annotated[str, Query(max_length=64, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True)
class RecordRoutes:
    """The routes of galleries and of the record."""

    signed_in: SignedIn
    records: Records
    jobs: Jobs
    galleries: GalleryViews
    base_url: BaseUrl

    def router(self) -> APIRouter:
        """The routes."""
        router = self.signed_in.router()
        router.add_api_route(
            "/api/gallery",
            self._all,
            methods=["GET"],
            operation_id="list_galleries",
            tags=["galleries"],
            summary="All slots' galleries",
            responses={200: {"model": GalleriesBody, "description": "The galleries."}},
        )
        router.add_api_route(
            "/api/gallery/{slot_id}",
            self._page,
            methods=["GET"],
            operation_id="list_gallery_pictures",
            tags=["galleries"],
            summary="A slot's pictures, newest first",
            responses={
                200: {"model": GalleryPageBody, "description": "A page of pictures."},
                **SLOT_NOT_FOUND,
            },
        )
        router.add_api_route(
            "/api/audit",
            self._record,
            methods=["GET"],
            operation_id="list_audit_entries",
            tags=["audit"],
            summary="What admins did, newest first",
            responses={200: {"model": RecordListBody, "description": "A page of entries."}},
        )
        return router

    async def _all(self, request: Request) -> Response:
        addresses = self.base_url.addresses(request)
        return json_answer(GalleriesBody.of(await self.galleries.all(), addresses))

    async def _page(
        self,
        request: Request,
        slot_id: SlotPath,
        cursor: CursorQuery = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 24,
    ) -> Response:
        addresses = self.base_url.addresses(request)
        name, page = await self.jobs.gallery(slot_id, PageRequest(limit, cursor))
        return json_answer(
            GalleryPageBody.of(Gallery(slot_id, name, page.items), page.next_cursor, addresses)
        )

    async def _record(
        self,
        page: PageQuery,
        actor: _Text = "",
        action: _Text = "",
        target: _Text = "",
    ) -> Response:
        found = await self.records.list(RecordFilter(actor, action, target), page)
        entries = [RecordBody.of(item) for item in found.items]
        return json_answer(RecordListBody(entries=entries, next_cursor=found.next_cursor or None))
