"""Whatever is under /api wants a signed-in admin, and under /api/v1 an API key, unless it is listed here.

A new route cannot be forgotten.
"""

import re
from typing import Final

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from photochanger_gateway.adapters.http.signed_in import SAFE_METHODS
from photochanger_gateway.testing.accounts import bearer, browser
from photochanger_gateway.testing.platform import Gateway, Platform
from photochanger_gateway.testing.wire import Answer, ask

PUBLIC: Final = {
    ("POST", "/api/ingest/{slot_id}"): "cameras, who have the slot's password",
    ("GET", "/api/jobs/{job_id}"): "whoever knows the job's id",
    ("POST", "/api/login"): "where admins sign in",
}
"""The only routes under /api without a login, and whom they are for."""


def guarded(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of every route for admins: those under /api that are neither public nor for programs."""
    return [route for route in served_under_api(app) if not for_programs(route) and route not in PUBLIC]


def keyed(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of every route for programs."""
    return [route for route in served_under_api(app) if for_programs(route)]


def for_programs(route: tuple[str, str]) -> bool:
    """Whether a route is under /api/v1."""
    return route[1].startswith("/api/v1/")


def served_under_api(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of every route under /api."""
    found = []
    for route in iter_route_contexts(app.routes):
        path = route.path or ""
        if path.startswith("/api"):
            # What has no methods, a socket or a mounted application, has no test here either: refuse to guess.
            assert isinstance(route.original_route, APIRoute), path
            found += [(method, path) for method in sorted(route.methods or ())]
    return found


async def refused(port: int, route: tuple[str, str], headers: dict[str, str]) -> tuple[str, int, str]:
    """Asks with nothing right but the path, so that nobody has read on who should have refused at once."""
    method, path = route
    filled = re.sub(r"\{slot_id[^}]*\}", "slot-003", re.sub(r"\{(?!slot_id)[^}]*\}", "0" * 32, path))
    body = b"" if method in SAFE_METHODS else b"{"
    sent = {"Content-Type": "application/json"} | headers
    answer: Answer = await ask(port, filled, method=method, body=body, headers=sent)
    return f"{method} {path}", answer.status, answer.json()["failure_reason"]


async def test_the_list_names_routes_that_there_are(app: FastAPI) -> None:
    served = {
        (method, route.path or "")
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    }
    assert set(PUBLIC) <= served
    assert ("GET", "/api/me") in guarded(app)


async def test_nobody_gets_in_without_a_login(app: FastAPI, gateway: Gateway) -> None:
    for route in guarded(app):
        name = f"{route[0]} {route[1]}"
        assert await refused(gateway.port, route, {}) == (name, 401, "missing_token")


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer x.y.z"}, {"Cookie": "photochanger=x.y.z"}], ids=["token", "cookie"]
)
async def test_nobody_gets_in_with_a_made_up_one(
    app: FastAPI, gateway: Gateway, headers: dict[str, str]
) -> None:
    for route in guarded(app):
        name = f"{route[0]} {route[1]}"
        assert await refused(gateway.port, route, headers) == (name, 401, "invalid_token")


async def test_nobody_gets_in_after_logging_out(app: FastAPI, gateway: Gateway) -> None:
    headers = await bearer(gateway.port)
    assert (await ask(gateway.port, "/api/logout", method="POST", headers=headers)).status == 204
    for route in guarded(app):
        name = f"{route[0]} {route[1]}"
        assert await refused(gateway.port, route, headers) == (name, 401, "invalid_token")


async def test_no_program_gets_in_without_a_key(app: FastAPI, gateway: Gateway) -> None:
    assert ("POST", "/api/v1/jobs") in keyed(app)
    for route in keyed(app):
        name = f"{route[0]} {route[1]}"
        assert await refused(gateway.port, route, {}) == (name, 401, "missing_api_key")


async def test_no_program_gets_in_with_a_made_up_key_or_a_revoked_one(
    app: FastAPI, gateway: Gateway, platform: Platform
) -> None:
    revoked = platform.api_keys.add()
    platform.api_keys.keys[revoked].revoked_at.GetCurrentTime()
    for route in keyed(app):
        name = f"{route[0]} {route[1]}"
        for key in ("pc_" + "x" * 43, revoked, "nonsense"):
            assert await refused(gateway.port, route, {"X-API-Key": key}) == (name, 401, "invalid_api_key")


async def test_no_program_gets_in_with_a_key_for_nothing(
    app: FastAPI, gateway: Gateway, platform: Platform
) -> None:
    headers = {"Authorization": f"Bearer {platform.api_keys.add(scopes=())}"}
    for route in keyed(app):
        name = f"{route[0]} {route[1]}"
        assert await refused(gateway.port, route, headers) == (name, 403, "insufficient_scope")


async def test_an_admin_is_no_program_and_a_program_no_admin(
    app: FastAPI, gateway: Gateway, platform: Platform
) -> None:
    admin, session = await bearer(gateway.port), await browser(gateway.port)
    for route in keyed(app):
        name = f"{route[0]} {route[1]}"
        assert await refused(gateway.port, route, admin) == (name, 401, "invalid_api_key")
        assert await refused(gateway.port, route, session.changing) == (name, 401, "missing_api_key")
    key = platform.api_keys.add()
    for route in guarded(app):
        name = f"{route[0]} {route[1]}"
        assert await refused(gateway.port, route, {"Authorization": f"Bearer {key}"}) == (
            name,
            401,
            "invalid_token",
        )
        assert await refused(gateway.port, route, {"X-API-Key": key}) == (name, 401, "missing_token")


async def test_another_site_changes_nothing_with_an_admins_cookie(app: FastAPI, gateway: Gateway) -> None:
    session = await browser(gateway.port)
    unsafe = [route for route in guarded(app) if route[0] not in SAFE_METHODS]
    assert ("POST", "/api/logout") in unsafe
    for route in unsafe:
        name = f"{route[0]} {route[1]}"
        assert await refused(gateway.port, route, session.reading) == (name, 403, "csrf_failed")
        crossed = session.changing | {"Sec-Fetch-Site": "cross-site"}
        assert await refused(gateway.port, route, crossed) == (name, 403, "csrf_failed")


async def test_what_wants_a_login_says_so_in_the_document(app: FastAPI) -> None:
    document = app.openapi()
    for method, path in guarded(app):
        operation = document["paths"][path][method.lower()]
        assert operation["security"] == [{"adminToken": []}, {"adminCookie": []}], path
        assert "401" in operation["responses"], path
        assert ("403" in operation["responses"]) or method in SAFE_METHODS, path
    for method, path in keyed(app):
        operation = document["paths"][path][method.lower()]
        assert operation["security"] == [{"apiKeyBearer": []}, {"apiKeyHeader": []}], path
        assert {"401", "403", "429"} <= set(operation["responses"]), path
    for method, path in PUBLIC:
        assert "security" not in document["paths"][path][method.lower()], path
