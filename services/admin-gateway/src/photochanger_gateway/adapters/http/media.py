"""Templates, temporary pictures, and clean-ups of the store."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import FieldViolation
from starlette.responses import Response

from photochanger_gateway.adapters.http import answers
from photochanger_gateway.adapters.http.admin_answers import (
    SLOT_NOT_FOUND,
    UPLOAD_ERRORS,
    MediaPath,
    SlotPath,
    TemplatePath,
    json_answer,
)
from photochanger_gateway.adapters.http.form_schema import multipart, picture_field
from photochanger_gateway.adapters.http.form_stream import IDLE_TIMEOUT, read_upload
from photochanger_gateway.adapters.http.media_models import RegisteredMediaBody, RegisteredTemplateBody
from photochanger_gateway.adapters.http.models import SLOT_ID_PATTERN
from photochanger_gateway.adapters.http.pictures import PictureResponse
from photochanger_gateway.adapters.http.public import (
    PICTURE_TYPES,
    error_answers,
    etag_matches,
)
from photochanger_gateway.adapters.http.settings_models import AcceptedBody
from photochanger_gateway.adapters.http.signed_in import CurrentAdmin, SignedIn
from photochanger_gateway.adapters.http.urls import BaseUrl
from photochanger_gateway.application.admin_pictures import AdminPictures
from photochanger_gateway.application.audit import Audit
from photochanger_gateway.application.clean_up import CleanUps
from photochanger_gateway.application.keep_picture import KeepPicture, no_fields
from photochanger_gateway.application.ports import Download
from photochanger_gateway.application.ports_admin import Slots
from photochanger_gateway.domain.admins import Admin
from photochanger_gateway.domain.media import MediaKind, MediaObject
from photochanger_gateway.domain.refusals import InvalidChange
from photochanger_gateway.domain.slots import is_slot_id

_FILE: Final = "file"
_MEGABYTE: Final = 1024 * 1024
_TEMPLATE_BYTES: Final = 15 * _MEGABYTE
_TEMPORARY_BYTES: Final = 20 * _MEGABYTE
"""As much as a slot can take at most."""
_UPLOAD_TIME: Final = timedelta(seconds=120)
_CACHE: Final = "private, max-age=86400, immutable"
"""A template's bytes never change; a shared cache must not have them."""
_TEMPLATE_NOT_FOUND: Final = error_answers(s404="No such template: `template_not_found`.")
_IF_NONE_MATCH: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": "304 while the ETag is this one.",
            "schema": {"type": "string", "maxLength": 256},
        }
    ]
}
_TEMPLATE_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The picture.", "content": PICTURE_TYPES},
    304: {"description": "It has not changed."},
    **_TEMPLATE_NOT_FOUND,
}


def _form(most_megabytes: int, **fields: dict[str, Any]) -> dict[str, Any]:
    return multipart({**fields, _FILE: picture_field(f"{most_megabytes} MB")}, required=[_FILE])


@dataclass(frozen=True, slots=True)
class MediaRoutes:
    """The routes of pictures that only admins see."""

    signed_in: SignedIn
    keep_picture: KeepPicture
    pictures: AdminPictures
    slots: Slots
    clean_ups: CleanUps
    audit: Audit
    base_url: BaseUrl
    clock: Clock
    idle_timeout: timedelta = IDLE_TIMEOUT

    def router(self) -> APIRouter:
        """The routes."""
        router = self.signed_in.router("media")
        self._add_templates(router)
        self._add_temporary(router)
        for path, endpoint, name, words, errors in (
            ("/api/cleanup", self._clean_all, "clean_up", "Remove what has expired, and orphans", {}),
            (
                "/api/slots/{slot_id}/cleanup",
                self._clean_slot,
                "clean_up_slot",
                "Remove what has expired in a slot",
                SLOT_NOT_FOUND,
            ),
        ):
            router.add_api_route(
                path,
                endpoint,
                methods=["POST"],
                operation_id=name,
                summary=words,
                description="Goes on by itself after the answer. What is asked for twice while it waits runs once.",
                status_code=202,
                responses={202: {"model": AcceptedBody, "description": "It will be done."}, **errors},
            )
        return router

    def _add_templates(self, router: APIRouter) -> None:
        slot = {
            "type": "string",
            "pattern": SLOT_ID_PATTERN,
            "description": "For which slot; counts where it comes before the file.",
        }
        router.add_api_route(
            "/api/template-media/register",
            self._register_template,
            methods=["POST"],
            operation_id="register_template",
            summary="Store a template image",
            description="It belongs to no slot until a slot's `template_media` names it. It never expires.",
            status_code=201,
            responses={
                201: {"model": RegisteredTemplateBody, "description": "It is stored."},
                **UPLOAD_ERRORS,
            },
            openapi_extra=_form(15, slot_id=slot, media_kind={"const": "template"}),
        )
        for path, endpoint, name, words in (
            ("/api/template-media/{template_id}", self._template, "get_template", "A template image"),
            (
                "/api/template-media/{template_id}/preview",
                self._template_preview,
                "get_template_preview",
                "Its small WebP preview",
            ),
        ):
            router.add_api_route(
                path,
                endpoint,
                methods=["GET"],
                operation_id=name,
                summary=words,
                responses=_TEMPLATE_FILE,
                openapi_extra=_IF_NONE_MATCH,
            )
        router.add_api_route(
            "/api/template-media/{template_id}",
            self._delete_template,
            methods=["DELETE"],
            operation_id="delete_template",
            summary="Delete a template image that no slot uses",
            status_code=204,
            responses={
                204: {"description": "It is deleted."},
                **_TEMPLATE_NOT_FOUND,
                **error_answers(s409="Slots use it, `details` names them: `template_in_use`."),
            },
        )

    def _add_temporary(self, router: APIRouter) -> None:
        router.add_api_route(
            "/api/media/register",
            self._register_temporary,
            methods=["POST"],
            operation_id="register_media",
            summary="Store a picture for a short time, for test runs",
            status_code=201,
            responses={201: {"model": RegisteredMediaBody, "description": "It is stored."}, **UPLOAD_ERRORS},
            openapi_extra=_form(20),
        )
        router.add_api_route(
            "/api/media/{media_object_id}",
            self._temporary,
            methods=["GET"],
            operation_id="get_media",
            summary="A picture that is stored for a short time",
            responses={
                200: {"description": "The picture.", "content": PICTURE_TYPES},
                **error_answers(
                    s404="Unknown: `media_not_found`.", s410="Its time is over: `media_expired`."
                ),
            },
        )

    async def _register_template(self, request: Request, admin: CurrentAdmin) -> Response:
        async with self.audit.entry(admin, "template.add") as entry:
            stored = await self._keep(request, MediaKind.TEMPLATE, _TEMPLATE_BYTES, _template_fields)
            entry.add(media_object_id=stored.id)
        return json_answer(RegisteredTemplateBody.of(stored, self.base_url.addresses(request)), status=201)

    async def _register_temporary(self, request: Request) -> Response:
        stored = await self._keep(request, MediaKind.TEMPORARY, _TEMPORARY_BYTES, no_fields)
        return json_answer(RegisteredMediaBody.of(stored, self.base_url.addresses(request)), status=201)

    async def _keep(
        self,
        request: Request,
        kind: MediaKind,
        most_bytes: int,
        slot_of: Callable[[Mapping[str, str]], str],
    ) -> MediaObject:
        deadline = Deadline(self.clock.now() + _UPLOAD_TIME)
        form = read_upload(
            request,
            photo_limit_bytes=most_bytes,
            deadline=deadline,
            clock=self.clock,
            idle_timeout=self.idle_timeout,
            photo_field=_FILE,
        )
        return await self.keep_picture(
            kind, form, slot_of=slot_of, size_limit_bytes=most_bytes, deadline=deadline
        )

    async def _template(self, request: Request, template_id: TemplatePath) -> Response:
        return await self._template_file(request, template_id, preview=False)

    async def _template_preview(self, request: Request, template_id: TemplatePath) -> Response:
        return await self._template_file(request, template_id, preview=True)

    async def _template_file(self, request: Request, template_id: str, *, preview: bool) -> Response:
        found = await self.pictures.find_template(template_id)
        etag = f'"{found.sha256}{"-preview" if preview else ""}"'
        headers = {**answers.FILE_SECURITY_HEADERS, "Cache-Control": _CACHE, "ETag": etag}
        if etag_matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        return self._file(request, self.pictures.template(template_id, preview=preview), headers)

    async def _delete_template(self, admin: CurrentAdmin, template_id: TemplatePath) -> Response:
        async with self.audit.entry(admin, "template.delete", target=template_id):
            await self.slots.delete_template(template_id)
        return Response(status_code=204)

    async def _temporary(self, request: Request, media_object_id: MediaPath) -> Response:
        await self.pictures.find_temporary(media_object_id)
        headers = {**answers.FILE_SECURITY_HEADERS, "Cache-Control": "private, no-store"}
        return self._file(request, self.pictures.temporary(media_object_id), headers)

    def _file(
        self, request: Request, opened: AbstractAsyncContextManager[Download], headers: dict[str, str]
    ) -> Response:
        return PictureResponse(opened, headers=headers, problem=answers.wants_problem(request))

    async def _clean_all(self, admin: CurrentAdmin) -> Response:
        return await self._clean(admin, "")

    async def _clean_slot(self, admin: CurrentAdmin, slot_id: SlotPath) -> Response:
        return await self._clean(admin, slot_id)

    async def _clean(self, admin: Admin, slot_id: str) -> Response:
        async with self.audit.entry(admin, "media.cleanup", target=slot_id):
            self.clean_ups.ask(slot_id)
        return json_answer(AcceptedBody(), status=202)


def _template_fields(fields: Mapping[str, str]) -> str:
    wrong = [
        FieldViolation(name[:64], "is no field here")
        for name in fields
        if name not in {"slot_id", "media_kind"}
    ]
    slot_id = fields.get("slot_id", "")
    if "slot_id" in fields and not is_slot_id(slot_id):
        wrong.append(FieldViolation("slot_id", "slot-001 to slot-015"))
    if fields.get("media_kind", MediaKind.TEMPLATE) != MediaKind.TEMPLATE:
        wrong.append(FieldViolation("media_kind", "`template`, or nothing"))
    if wrong:
        raise InvalidChange(tuple(wrong))
    return slot_id
