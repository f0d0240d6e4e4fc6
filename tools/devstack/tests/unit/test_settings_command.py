"""`photochanger settings` against an ingest that remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import pytest
from photochanger.ingest.v1 import settings_service_pb2
from photochanger.ingest.v1.settings_service_pb2_grpc import (
    SettingsServiceServicer,
    add_SettingsServiceServicer_to_server,
)
from photochanger_devstack.cli import app
from typer.testing import CliRunner

_Context = grpc.aio.ServicerContext[Any, Any]


class Ingest(SettingsServiceServicer):
    def __init__(self) -> None:
        self.changes: list[settings_service_pb2.UpdateSettingsRequest] = []
        self.settings = settings_service_pb2.Settings(version=7)
        self.settings.limits.slot_running = 4
        self.settings.limits.slot_queue = 8
        self.settings.limits.provider_running["gemini"] = 9

    async def GetSettings(  # noqa: N802 - named by the proto
        self, request: settings_service_pb2.GetSettingsRequest, context: _Context
    ) -> settings_service_pb2.GetSettingsResponse:
        return settings_service_pb2.GetSettingsResponse(settings=self.settings)

    async def UpdateSettings(  # noqa: N802 - named by the proto
        self, request: settings_service_pb2.UpdateSettingsRequest, context: _Context
    ) -> settings_service_pb2.UpdateSettingsResponse:
        self.changes.append(request)
        return settings_service_pb2.UpdateSettingsResponse(settings=request.settings)


@asynccontextmanager
async def serving(ingest: Ingest) -> AsyncIterator[str]:
    server = grpc.aio.server()
    add_SettingsServiceServicer_to_server(ingest, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def run(ingest: Ingest, *arguments: str, typed: str = "") -> tuple[int, str]:
    async with serving(ingest) as target:
        result = await asyncio.to_thread(
            CliRunner().invoke, app, ["settings", *arguments], input=typed, env={"INGEST_TARGET": target}
        )
    return result.exit_code, " ".join(result.output.split())


async def test_a_change_of_one_limit_leaves_the_others_and_names_the_version_it_was_made_on() -> None:
    ingest = Ingest()
    code, said = await run(ingest, "set", "--slot-running", "5", "--provider-running", "turbotext=3")
    assert code == 0
    (change,) = ingest.changes
    assert list(change.update_mask.paths) == ["limits"]
    assert change.settings.limits.slot_running == 5
    assert change.settings.limits.slot_queue == 8
    assert dict(change.settings.limits.provider_running) == {"gemini": 9, "turbotext": 3}
    assert change.expected_version == 7
    assert not change.HasField("ingest_password")
    assert "5 at once, 8 waiting" in said


async def test_times_and_policies_are_changed_by_name() -> None:
    ingest = Ingest()
    code, _ = await run(
        *(ingest, "set", "--seconds", "55", "--retention-hours", "24"),
        *("--hash-policy", "enforce", "--no-dedupe"),
    )
    assert code == 0
    (change,) = ingest.changes
    assert list(change.update_mask.paths) == ["sync_response", "result_retention", "hash_policy", "dedupe"]
    assert change.settings.sync_response.seconds == 55
    assert change.settings.result_retention.seconds == 24 * 3600
    assert change.settings.hash_policy == settings_service_pb2.HASH_POLICY_ENFORCE
    assert change.settings.dedupe is False


async def test_a_password_is_asked_for_and_never_shown() -> None:
    ingest = Ingest()
    code, said = await run(ingest, "set", "--ingest-password", typed="new-password\nnew-password\n")
    assert code == 0
    assert ingest.changes[0].ingest_password == "new-password"
    assert list(ingest.changes[0].update_mask.paths) == []
    assert "new-password" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Nothing to change"),
        (["--slot-running", "4"], "Nothing to change"),
        (["--hash-policy", "strict"], "--hash-policy is one of: warn, enforce, ignore."),
        (["--provider-running", "gemini"], "write PROVIDER=N"),
    ],
)
async def test_what_cannot_be_meant_is_said_and_changes_nothing(arguments: list[str], words: str) -> None:
    ingest = Ingest()
    code, said = await run(ingest, "set", *arguments)
    assert code == 1
    assert words in said
    assert ingest.changes == []
