"""Slots: what they are, how they are changed, what they were."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query, Request
from pydantic import Field, RootModel
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import (
    CHANGE_ERRORS,
    ETAG,
    SLOT_NOT_FOUND,
    CursorQuery,
    ExpectedVersion,
    SlotPath,
    etag,
    json_answer,
)
from photochanger_gateway.adapters.http.public import error_answers
from photochanger_gateway.adapters.http.signed_in import CurrentAdmin, SignedIn
from photochanger_gateway.adapters.http.slot_models import (
    RestoreChange,
    SlotBody,
    SlotChange,
    SlotHistoryBody,
    SlotRow,
    SlotVersionBody,
)
from photochanger_gateway.adapters.http.urls import BaseUrl
from photochanger_gateway.application.admin_views import SlotViews
from photochanger_gateway.application.audit import Audit
from photochanger_gateway.application.ports_admin import PageRequest, Slots
from photochanger_gateway.domain.slots import Slot

_CHANGED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": SlotBody, "description": "The slot since then.", "headers": ETAG},
    **SLOT_NOT_FOUND,
    **CHANGE_ERRORS,
    **error_answers(
        s422="Fields are wrong, each named in `errors`: `invalid_request_body`, `invalid_settings`, "
        "`provider_not_found`, `operation_not_found`, `template_not_found`."
    ),
}


class SlotList(RootModel[list[SlotRow]]):
    """All slots by id."""

    root: list[SlotRow] = Field(max_length=15)


@dataclass(frozen=True, slots=True)
class SlotRoutes:
    """The routes of slots."""

    signed_in: SignedIn
    slots: Slots
    views: SlotViews
    audit: Audit
    base_url: BaseUrl

    def router(self) -> APIRouter:
        """The routes."""
        router = self.signed_in.router("slots")
        router.add_api_route(
            "/api/slots",
            self._list,
            methods=["GET"],
            operation_id="list_slots",
            summary="All slots, and what goes on in them",
            responses={200: {"model": SlotList, "description": "By id."}},
        )
        router.add_api_route(
            "/api/slots/{slot_id}",
            self._get,
            methods=["GET"],
            operation_id="get_slot",
            summary="A slot",
            responses={
                200: {"model": SlotBody, "description": "The slot.", "headers": ETAG},
                **SLOT_NOT_FOUND,
            },
        )
        router.add_api_route(
            "/api/slots/{slot_id}",
            self._update,
            methods=["PUT"],
            operation_id="update_slot",
            summary="Change a slot",
            description="What is absent stays as it is. Settings are checked by the operation's JSON Schema. "
            "The change counts from the next photo on.",
            responses=_CHANGED,
        )
        router.add_api_route(
            "/api/slots/{slot_id}/history",
            self._history,
            methods=["GET"],
            operation_id="list_slot_versions",
            summary="A slot's versions, newest first",
            responses={
                200: {"model": SlotHistoryBody, "description": "A page of versions."},
                **SLOT_NOT_FOUND,
            },
        )
        router.add_api_route(
            "/api/slots/{slot_id}/restore",
            self._restore,
            methods=["POST"],
            operation_id="restore_slot_version",
            summary="Make an older version's values the slot's again",
            description="As a new version. The slot's own password stays as it is.",
            responses={
                **_CHANGED,
                **error_answers(s404="No such slot or version: `slot_not_found`, `slot_version_not_found`."),
            },
        )
        return router

    async def _list(self, request: Request) -> Response:
        addresses = self.base_url.addresses(request)
        rows = [SlotRow.row_of(summary, addresses) for summary in await self.views.all()]
        return json_answer(SlotList(rows))

    async def _get(self, request: Request, slot_id: SlotPath) -> Response:
        return await self._answer(request, await self.slots.get(slot_id))

    async def _update(
        self,
        request: Request,
        admin: CurrentAdmin,
        slot_id: SlotPath,
        change: Annotated[SlotChange, Body()],
        version: ExpectedVersion,
    ) -> Response:
        edit = change.edit()
        if not edit.names:
            return await self._answer(request, await self.slots.get(slot_id))
        facts = {"fields": ", ".join(edit.names)}
        async with self.audit.entry(admin, "slot.update", target=slot_id, facts=facts) as entry:
            slot = await self.slots.update(slot_id, edit, expected_version=version, by=admin.username)
            entry.add(version=str(slot.version))
        return await self._answer(request, slot)

    async def _history(
        self,
        request: Request,
        slot_id: SlotPath,
        cursor: CursorQuery = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        addresses = self.base_url.addresses(request)
        page = await self.slots.versions(slot_id, PageRequest(limit, cursor))
        versions = [SlotVersionBody.of(item, addresses) for item in page.items]
        return json_answer(SlotHistoryBody(versions=versions, next_cursor=page.next_cursor or None))

    async def _restore(
        self,
        request: Request,
        admin: CurrentAdmin,
        slot_id: SlotPath,
        change: Annotated[RestoreChange, Body()],
        version: ExpectedVersion,
    ) -> Response:
        facts = {"restored": str(change.version)}
        async with self.audit.entry(admin, "slot.restore", target=slot_id, facts=facts) as entry:
            slot = await self.slots.restore(
                slot_id, change.version, expected_version=version, by=admin.username
            )
            entry.add(version=str(slot.version))
        return await self._answer(request, slot)

    async def _answer(self, request: Request, slot: Slot) -> Response:
        addresses = self.base_url.addresses(request)
        return json_answer(SlotBody.whole(await self.views.of(slot), addresses), headers=etag(slot.version))
