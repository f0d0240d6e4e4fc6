"""The OpenAPI document: complete, and true of the running gateway."""

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from photochanger.media.v1 import media_object_pb2
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.testing.accounts import bearer
from photochanger_gateway.testing.platform import Gateway, Platform, a_gateway, settings_for
from photochanger_gateway.testing.wire import ask
from starlette.routing import BaseRoute, Route

HIDDEN = {"/", "/docs", "/openapi.json", "/pubgallery", "/admin", "/admin/{path:path}"}
"""Pages for people, and the document itself."""


def routes_of(routes: list[BaseRoute]) -> list[Route]:
    """All routes, those of included routers too."""
    found: list[Route] = []
    for route in routes:
        inner = getattr(route, "original_router", None)  # how FastAPI 0.165 keeps an included router
        if inner is not None:
            found += routes_of(inner.routes)
        elif isinstance(route, Route):
            found.append(route)
    return found


async def test_every_route_is_in_the_document_or_hidden_on_purpose(app: FastAPI) -> None:
    document = app.openapi()
    described = {
        (path, method.upper()) for path, operations in document["paths"].items() for method in operations
    }
    served = {
        (route.path, method)
        for route in routes_of(app.routes)
        if route.path not in HIDDEN and not route.path.startswith("/static/")
        for method in route.methods or ()
    }
    assert described == served
    assert any(isinstance(route, APIRoute) for route in routes_of(app.routes))
    assert document["openapi"].startswith("3.1")


async def test_the_document_is_printed_with_nothing_running_and_nothing_set(app: FastAPI) -> None:
    printing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "photochanger_gateway", "openapi"),
        env={},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await printing.communicate()
    assert printing.returncode == 0
    assert json.loads(printed) == app.openapi()


async def test_operations_have_names_of_their_own_and_words(app: FastAPI) -> None:
    operations = [operation for item in app.openapi()["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for operation in operations)
    assert all(
        answer["description"] for operation in operations for answer in operation["responses"].values()
    )


async def test_the_document_is_readable_by_people(gateway: Gateway) -> None:
    page = await ask(gateway.port, "/docs")
    assert page.status == 200
    for words in ("/api/ingest/{slot_id}", "fileToUpload", "ErrorBody", "429"):
        assert words in page.body.decode()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", ["admin", "nobody", "program"])
async def test_the_running_gateway_does_what_the_document_says(
    platform: Platform, clock: ManualClock, nats_url: str, credentials_file: Path, who: str
) -> None:
    photo = platform.media.store(
        kind=media_object_pb2.MEDIA_KIND_INPUT, expires_at=clock.now() + timedelta(hours=1)
    )
    platform.ingest.ending.input_media_object_id = photo.id
    platform.ingest.any_job = platform.async_jobs.any_job = platform.ingest.ending
    platform.ingest.shared = True
    platform.ingest.password = None  # or the fuzzer would see nothing of cameras' requests but 401
    platform.ingest.galleries["slot-003"] = [platform.ingest.ending]
    platform.queues.kill()
    platform.webhooks.any_delivery = platform.webhooks.add(client_id="books")
    many = 1_000_000
    settings = settings_for(
        platform,
        nats_url,
        public_rate_per_minute=many,
        ingest_rate_per_minute=many,
        wrong_password_rate_per_minute=many,
        api_rate_per_minute=many,
        api_submissions_per_minute=many,
        api_waiting_submissions_per_minute=many,
        credentials_file=credentials_file,
    )
    async with a_gateway(settings, clock) as gateway:
        headers = {}
        if who == "admin":
            headers = await bearer(gateway.port)
        elif who == "program":
            headers = {"Authorization": f"Bearer {platform.api_keys.add(client_id='books')}"}
        fuzzing = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "schemathesis.cli",
            f"--config-file={Path(__file__).with_name('schemathesis.toml')}",
            "run",
            f"{gateway.url}/openapi.json",
            "--phases=examples,coverage,fuzzing",
            "--mode=all",
            "--max-examples=8",
            "--generation-deterministic",
            "--request-timeout=20",
            f"--max-time={20 if who == 'nobody' else 60}",
            "--exclude-path=/api/events",  # an answer without an end; its tests are in test_live_events
            "--exclude-path=/api/v1/jobs/{job_id}/events",  # as good as that; see test_program_events
            "--exclude-path=/api/logout",  # which would end the session the rest is tried with
            *(["--include-path-regex=^/api/v1/"] if who == "program" else []),
            *(["--exclude-path-regex=^/api/v1/"] if who == "admin" else []),
            *(f"--header={name}: {value}" for name, value in headers.items()),
            "--no-color",
            cwd=credentials_file.parent,
            env={"PATH": os.environ["PATH"], "HOME": str(credentials_file.parent)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await fuzzing.communicate()
    assert fuzzing.returncode == 0, told.decode()
