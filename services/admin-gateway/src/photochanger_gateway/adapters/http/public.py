"""What needs no login: a job, its picture, a slot's gallery, pictures a provider fetches."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Depends, Path, Request
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ServiceError
from starlette.responses import Response

from photochanger_gateway.adapters.http import answers
from photochanger_gateway.adapters.http.clients import ClientAddress
from photochanger_gateway.adapters.http.models import (
    JOB_ID_PATTERN,
    SLOT_ID_PATTERN,
    GalleryBody,
    JobBody,
    SharedGalleriesBody,
)
from photochanger_gateway.adapters.http.pages import Pages
from photochanger_gateway.adapters.http.pictures import PictureResponse
from photochanger_gateway.adapters.http.urls import BaseUrl
from photochanger_gateway.application.ports import Download, Ingest, Media
from photochanger_gateway.application.public_results import PublicResults
from photochanger_gateway.application.rate_limits import RateLimiter, Rule
from photochanger_gateway.domain.jobs import Picture
from photochanger_gateway.domain.ranges import ByteRange, parse_range

GALLERY_SIZE: Final = 10
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
PICTURE_TYPES: Final = dict.fromkeys(("image/jpeg", "image/png", "image/webp"), _BINARY)
RANGE_PARAMETERS: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": words,
            "schema": {"type": "string"},
        }
        for name, words in (
            ("Range", "One range of bytes; anything else is ignored."),
            ("If-Range", "The range counts only while the ETag is this one."),
            ("If-None-Match", "304 while the ETag is this one."),
        )
    ]
}


def error_answers(**words: str) -> dict[int | str, dict[str, Any]]:
    """Error answers of a route: JSON as cameras know it, or RFC 9457 where `Accept` asks for it."""
    return {
        int(status.removeprefix("s")): {
            "description": text,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}},
                answers.PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}},
            },
        }
        for status, text in words.items()
    }


COMMON_ERRORS: Final = error_answers(
    s400="Something in the request cannot be read: `invalid_request`.",
    s429="Too many requests: `rate_limited`, with `Retry-After`.",
    s500="Our fault: `internal_error`.",
    s503="A service or the storage is away: `storage_unavailable`, with `Retry-After`.",
    s504="A service did not answer in time: `provider_timeout`.",
)
FILE_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file.", "content": PICTURE_TYPES},
    206: {"description": "The part of it that was asked for.", "content": PICTURE_TYPES},
    304: {"description": "It has not changed."},
    **COMMON_ERRORS,
    **error_answers(
        s404="Unknown, or not ready yet: `result_not_found`.",
        s410="No longer kept: `result_expired`.",
        s416="The range lies outside the file: `range_not_satisfiable`.",
    ),
}


@dataclass(frozen=True, slots=True)
class PublicRoutes:
    """The public routes."""

    ingest: Ingest
    media: Media
    results: PublicResults
    limiter: RateLimiter
    rule: Rule
    shared_rule: Rule
    clients: ClientAddress
    base_url: BaseUrl
    pages: Pages
    clock: Clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(
            tags=["guests"], default_response_class=Response, dependencies=[Depends(self._limit)]
        )
        router.add_api_route(
            "/api/jobs/{job_id}",
            self._job,
            methods=["GET"],
            operation_id="get_job",
            summary="A job",
            responses={
                200: {"model": JobBody, "description": "The job."},
                **COMMON_ERRORS,
                **error_answers(s404="Unknown, or past its time: `job_not_found`."),
            },
        )
        for path, endpoint, name, words in (
            ("/public/results/{job_id}", self._result, "result", "A job's picture"),
            ("/public/results/{job_id}/preview", self._preview, "preview", "Its small WebP preview"),
        ):
            for method in ("GET", "HEAD"):
                router.add_api_route(
                    path,
                    endpoint,
                    methods=[method],
                    operation_id=f"{method.lower()}_{name}",
                    summary=words,
                    responses=FILE_ANSWERS,
                    openapi_extra=RANGE_PARAMETERS,
                )
        router.add_api_route(
            "/public/slots/{slot_id}",
            self._gallery,
            methods=["GET"],
            operation_id="get_gallery",
            summary="A slot's gallery",
            description=f"The last {GALLERY_SIZE} unexpired pictures; a page for browsers, JSON where asked for.",
            responses={
                200: {
                    "description": "The gallery.",
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/GalleryBody"}},
                        "text/html": {"schema": {"type": "string"}},
                    },
                },
                **COMMON_ERRORS,
                **error_answers(s404="Unknown slot: `slot_not_found`."),
            },
        )
        router.add_api_route(
            "/pub/gallery",
            self._shared,
            methods=["GET"],
            operation_id="get_shared_galleries",
            summary="All galleries, while an admin shares them",
            dependencies=[Depends(self._limit_shared)],
            responses={
                200: {"model": SharedGalleriesBody, "description": "The galleries."},
                **COMMON_ERRORS,
                **error_answers(s403="Nobody shares them now: `gallery_not_shared`."),
            },
        )
        router.add_api_route(
            "/pubgallery",
            self._shared_page,
            methods=["GET"],
            dependencies=[Depends(self._limit_shared)],
            include_in_schema=False,
        )
        router.add_api_route(
            "/public/provider-media/{media_id}",
            self._provider_media,
            methods=["GET"],
            operation_id="get_provider_media",
            summary="A picture for a provider",
            description="Valid until the job's deadline. The id is unguessable.",
            responses={
                **{status: FILE_ANSWERS[status] for status in (200, 206, 416)},
                **COMMON_ERRORS,
                **error_answers(s404="Unknown: `link_not_found`.", s410="Its time is over: `link_expired`."),
            },
            openapi_extra=RANGE_PARAMETERS,
        )
        return router

    async def _limit(self, request: Request) -> None:
        await self.limiter.take(self.rule, self.clients.of(request))

    async def _job(self, request: Request, job_id: str = Path(pattern=JOB_ID_PATTERN)) -> Response:
        job = await self.ingest.get_job(job_id)
        body = JobBody.of(job, self.base_url.of(request))
        return Response(
            body.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"}
        )

    async def _result(self, request: Request, job_id: str = Path(pattern=JOB_ID_PATTERN)) -> Response:
        return await self._file(request, job_id, preview=False)

    async def _preview(self, request: Request, job_id: str = Path(pattern=JOB_ID_PATTERN)) -> Response:
        return await self._file(request, job_id, preview=True)

    async def _file(self, request: Request, job_id: str, *, preview: bool) -> Response:
        picture = await self.results.find(job_id)
        return result_file(request, self.results, picture, job_id, now=self.clock.now(), preview=preview)

    async def _gallery(self, request: Request, slot_id: str = Path(pattern=SLOT_ID_PATTERN)) -> Response:
        gallery = await self.ingest.list_gallery(slot_id, GALLERY_SIZE)
        body = GalleryBody.of(gallery, self.base_url.of(request))
        if _prefers_html(request):
            return self.pages.gallery(body, request)
        return Response(
            body.model_dump_json(),
            media_type="application/json",
            headers={"Cache-Control": "no-store", "Vary": "Accept"},
        )

    async def _limit_shared(self, request: Request) -> None:
        await self.limiter.take(self.shared_rule, self.clients.of(request))

    async def _shared(self, request: Request) -> Response:
        galleries = await self.ingest.list_shared_galleries()
        body = SharedGalleriesBody.of(galleries, self.base_url.of(request), self.clock.now())
        return Response(
            body.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"}
        )

    async def _shared_page(self, request: Request) -> Response:
        try:
            galleries = await self.ingest.list_shared_galleries()
        except ServiceError as error:
            if error.reason != "GALLERY_NOT_SHARED":
                raise
            return self.pages.shared(None, request)
        base_url = self.base_url.of(request)
        return self.pages.shared([GalleryBody.of(gallery, base_url) for gallery in galleries], request)

    async def _provider_media(
        self, request: Request, media_id: str = Path(pattern="^[A-Za-z0-9_-]{20,64}$")
    ) -> Response:
        headers = {**answers.FILE_SECURITY_HEADERS, "Cache-Control": "no-store", "Accept-Ranges": "bytes"}
        byte_range = _wanted_range(request, None)
        return PictureResponse(
            self.media.download_link(media_id, byte_range=byte_range),
            headers=headers,
            describe=_content_range if byte_range else None,
            ranged=byte_range is not None,
            problem=answers.wants_problem(request),
        )


def result_file(
    request: Request,
    results: PublicResults,
    picture: Picture,
    job_id: str,
    *,
    now: datetime,
    preview: bool = False,
) -> Response:
    """The answer with a job's picture, or the part of it that was asked for."""
    # The preview is made once from this picture, so the picture's digest names both.
    etag = f'"{picture.sha256}{"-preview" if preview else ""}"'
    headers = {
        **answers.FILE_SECURITY_HEADERS,
        "Cache-Control": answers.cache_control(picture, now),
        "ETag": etag,
        "Accept-Ranges": "bytes",
    }
    if etag_matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    extension = "webp" if preview else picture.extension
    headers["Content-Disposition"] = f'attachment; filename="photo-{job_id[:8]}.{extension}"'
    byte_range = _wanted_range(request, etag)
    return PictureResponse(
        results.open(picture, preview=preview, byte_range=byte_range),
        headers=headers,
        describe=_content_range if byte_range else None,
        ranged=byte_range is not None,
        problem=answers.wants_problem(request),
    )


def _content_range(download: Download) -> dict[str, str]:
    last = download.offset + download.length - 1
    return {"Content-Range": f"bytes {download.offset}-{last}/{download.picture.size_bytes}"}


def _wanted_range(request: Request, etag: str | None) -> ByteRange | None:
    """The part asked for: of a GET only (RFC 9110 §14.2), and only while `If-Range` holds."""
    if request.method != "GET" or request.headers.get("if-range", etag) != etag:
        return None
    return parse_range(request.headers.get("range"))


def etag_matches(header: str | None, etag: str) -> bool:
    """RFC 9110 §13.1.2: any of the listed tags, compared weakly."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags


def _prefers_html(request: Request) -> bool:
    """A browser names text/html first; a script that names nothing, or JSON, gets JSON."""
    accept = request.headers.get("accept", "")
    html, as_json = accept.find("text/html"), accept.find("application/json")
    return html >= 0 and (as_json < 0 or html < as_json)
