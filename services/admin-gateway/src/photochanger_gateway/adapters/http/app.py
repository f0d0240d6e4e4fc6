"""The FastAPI application: routes, error answers, the OpenAPI document."""

from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.ids import Ids
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route

from photochanger_gateway.adapters.http import answers, signed_in
from photochanger_gateway.adapters.http.fields import violations_of
from photochanger_gateway.adapters.http.metrics import HttpMetrics
from photochanger_gateway.adapters.http.middleware import RequestContext, SmallBodies
from photochanger_gateway.adapters.http.models import ErrorBody, GalleryBody, ProblemBody
from photochanger_gateway.adapters.http.pages import Pages
from photochanger_gateway.adapters.http.slot_models import TestRunPayload
from photochanger_gateway.adapters.http.standings import with_standings
from photochanger_gateway.adapters.http.v1 import keyed
from photochanger_gateway.domain.refusals import HttpMeaning, InvalidChange, InvalidRequest

_log: Final = structlog.stdlib.get_logger(__name__)
_HTTP_ERRORS: Final = {
    404: HttpMeaning(404, "not_found"),
    405: HttpMeaning(405, "method_not_allowed"),
    413: HttpMeaning(413, "payload_too_large"),
}
_UNKNOWN: Final = {
    "slot_id": ("slot_not_found", "No such slot. Slots are slot-001 to slot-015."),
    "job_id": ("job_not_found", "No such job."),
    "media_id": ("link_not_found", "No such link."),
    "template_id": ("template_not_found", "No such template image."),
    "media_object_id": ("media_not_found", "No such picture."),
    "api_key_id": ("api_key_not_found", "No such API key."),
    "queue": ("queue_not_found", "No such queue."),
    "task_id": ("task_not_found", "No such task."),
    "delivery_id": ("webhook_delivery_not_found", "No such delivery."),
}
"""What a path parameter of the wrong form names."""


def make_app(
    routers: Sequence[APIRouter], *, pages: Pages, ids: Ids, metrics: HttpMetrics, version: str
) -> FastAPI:
    """Builds the application from its routes. Nothing is opened or started."""
    app = FastAPI(
        title="PhotoChanger",
        version=version,
        description="Takes photos from booth cameras and answers with the edited ones; shows them to guests.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    routers = [*routers, _pages_router(pages, lambda: _openapi(app))]
    for router in routers:
        app.include_router(router)
    routes = [route for router in routers for route in router.routes if isinstance(route, Route)]
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(RequestValidationError, partial(_validation_error, routes))
    app.add_exception_handler(HTTPException, partial(_http_error, routes))
    app.add_middleware(SmallBodies)
    app.add_middleware(RequestContext, ids=ids, metrics=metrics)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


def _pages_router(pages: Pages, document: Callable[[], dict[str, Any]]) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def start(request: Request) -> Response:
        return pages.start(request)

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        return pages.docs(document(), request)

    @router.get(f"/static/{pages.stylesheet_name}")
    async def style() -> Response:
        return pages.style()

    return router


async def _service_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, ServiceError):
        raise error
    _log.info("http.refused", reason=error.reason)
    return with_standings(request, answers.refusal(error, problem=answers.wants_problem(request)))


async def _validation_error(routes: Sequence[Route], request: Request, error: Exception) -> Response:
    """A path parameter of the wrong form names nothing that exists: unknown slot, unknown job."""
    if not isinstance(error, RequestValidationError):
        raise error
    names = {str(item["loc"][-1]) for item in error.errors() if item["loc"][:1] == ("path",)}
    if names and request.method not in _allowed_methods(routes, request):
        return await _http_error(routes, request, HTTPException(HTTPStatus.METHOD_NOT_ALLOWED))
    if "job_id" in names and request.url.path.startswith("/public/"):
        return answers.plain(HttpMeaning(404, "result_not_found"), "No such job.", request)
    for name, (reason, words) in _UNKNOWN.items():
        if name in names:
            return answers.plain(HttpMeaning(404, reason), words, request)
    wrong: ServiceError = InvalidRequest("The request's parameters cannot be read.")
    in_body = all(item["loc"][:1] == ("body",) and item["type"] != "json_invalid" for item in error.errors())
    if in_body and (hasattr(request.state, "admin") or hasattr(request.state, "client")):
        # The body's own place in the request is no part of a field's path.
        wrong = InvalidChange(violations_of({**item, "loc": item["loc"][1:]} for item in error.errors()))
    return with_standings(request, answers.refusal(wrong, problem=answers.wants_problem(request)))


async def _http_error(routes: Sequence[Route], request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    meaning = _HTTP_ERRORS.get(error.status_code, HttpMeaning(error.status_code, "invalid_request"))
    answer = answers.plain(meaning, str(error.detail), request)
    answer.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(_allowed_methods(routes, request))
    return answer


def _allowed_methods(routes: Sequence[Route], request: Request) -> list[str]:
    """All methods of a path: Starlette names those of the first route alone, and GET and HEAD are two of ours.

    Where `/gallery/share` and `/gallery/{slot_id}` both match, the one with fewer parameters is meant.
    """
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    path = min((route.path for route in matching), key=lambda path: path.count("{"), default="")
    return sorted({method for route in matching if route.path == path for method in route.methods or ()})


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The document, with the bodies that answers name by reference and without FastAPI's own 422."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schema.setdefault("components", {})["securitySchemes"] = {
            **signed_in.SECURITY_SCHEMES,
            **keyed.SECURITY_SCHEMES,
        }
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        for model in (ErrorBody, ProblemBody, GalleryBody, TestRunPayload):
            body = model.model_json_schema(ref_template="#/components/schemas/{model}")
            components.update(body.pop("$defs", {}))
            components[model.__name__] = body
        for name in ("HTTPValidationError", "ValidationError"):
            components.pop(name, None)
        for path in schema["paths"].values():
            for operation in path.values():
                unprocessable = (
                    operation["responses"].get("422", {}).get("content", {}).get("application/json", {})
                )
                if unprocessable.get("schema", {}).get("$ref", "").endswith("HTTPValidationError"):
                    del operation["responses"]["422"]
        app.openapi_schema = schema
    return app.openapi_schema
