"""A driver that does what a test tells it, registered as any other."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from photochanger_providers.application.driver import Driver, DriverRequest, DriverResult
from photochanger_providers.domain.catalogue import (
    JsonObject,
    Operation,
    OperationId,
    ProviderId,
    ProviderInfo,
    TemplateRole,
)
from photochanger_providers.domain.errors import ProviderError
from photochanger_providers.drivers.entry import DriverEntry, DriverTools

Act: TypeAlias = Callable[[DriverRequest], Awaitable[DriverResult]]

SCHEMA: JsonObject = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string", "minLength": 1, "maxLength": 4000, "x-placeholders": True},
        "model": {"type": "string", "enum": ["large", "small"], "default": "large"},
        "strength": {"type": "integer", "minimum": 0, "maximum": 80, "default": 40},
        "note": {"type": "string", "default": ""},
        "size": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"ratio": {"type": "string", "default": "3:2"}},
            "default": {"ratio": "3:2"},
        },
    },
}


@dataclass
class Script:
    """What the driver does, one act a call, and what it was asked. It fails when no act is left."""

    acts: deque[Act] = field(default_factory=deque)
    requests: list[DriverRequest] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    health: ProviderError | None = None
    closed: bool = False
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def busy(self, calls: int = 1) -> None:
        """Waits until this many calls are under way at once."""
        async with asyncio.timeout(10), self._moved:
            await self._moved.wait_for(lambda: self.under_way == calls)

    async def count(self, step: int) -> None:
        """Notes that calls have begun or ended."""
        async with self._moved:
            self.under_way += step
            self.most_under_way = max(self.most_under_way, self.under_way)
            self._moved.notify_all()

    def entry(
        self, *, provider_id: str = "scripted", needs_key: bool = False, limit: int = 30
    ) -> DriverEntry:
        """Makes the registration of a provider that follows this script."""
        return DriverEntry(
            info=ProviderInfo(
                id=ProviderId(provider_id),
                title="Scripted",
                operations=(
                    Operation(
                        OperationId("edit"),
                        "Edit",
                        SCHEMA,
                        (TemplateRole("background", "Background", required=False, max_count=2),),
                    ),
                    Operation(
                        OperationId("compose"),
                        "Compose",
                        SCHEMA,
                        (TemplateRole("background", "Background", required=True),),
                    ),
                ),
                needs_key=needs_key,
                max_parallel=limit,
            ),
            build=self._build,
        )

    def _build(self, tools: DriverTools) -> Driver:
        del tools
        return ScriptedDriver(self)


class ScriptedDriver:
    """Follows a script."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def process(self, request: DriverRequest) -> DriverResult:
        """Does the next act."""
        script = self._script
        script.requests.append(request)
        await script.count(1)
        try:
            return await script.acts.popleft()(request)
        finally:
            await script.count(-1)

    async def check_health(self, api_key: str) -> None:
        """Raises what the script says."""
        del api_key
        if self._script.health is not None:
            raise self._script.health

    async def close(self) -> None:
        """Notes that it was closed."""
        self._script.closed = True


def answers(content: bytes, *, model: str = "large-2") -> Act:
    """Answers with this picture."""

    async def act(request: DriverRequest) -> DriverResult:
        path = request.workspace.new_file("")
        path.write_bytes(content)
        return DriverResult(path, model=model, facts={"answer_id": "a-1"})

    return act


def echoes() -> Act:
    """Answers with the very photo it was given."""

    async def act(request: DriverRequest) -> DriverResult:
        return await answers(await asyncio.to_thread(request.photo.path.read_bytes))(request)

    return act


def fails(error: ProviderError) -> Act:
    """Raises this error."""

    async def act(_: DriverRequest) -> DriverResult:
        raise error

    return act


def waits_for(event: asyncio.Event, then: Act) -> Act:
    """Waits for a test to say so, then acts."""

    async def act(request: DriverRequest) -> DriverResult:
        await event.wait()
        return await then(request)

    return act
