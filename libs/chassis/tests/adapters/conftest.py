"""A gRPC service whose answers a test decides, and the ways to call it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from photochanger_chassis.grpc.channel import open_channel
from photochanger_chassis.grpc.server import GrpcServer
from photochanger_chassis.settings import GrpcClientSettings, GrpcServerSettings
from prometheus_client import CollectorRegistry

SERVICE = "chassis.test.v1.Echo"


@dataclass
class Echo:
    """Answers by whatever `behave` does with the request's text."""

    behave: Callable[[str], Awaitable[str]]
    calls: int = 0
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, text: str) -> StringValue:
        self.calls += 1
        self.entered.set()
        try:
            return StringValue(value=await self.behave(text))
        finally:
            self.left.set()

    async def unary_unary(self, request: StringValue, _context: object) -> StringValue:
        return await self.answer(request.value)

    async def unary_stream(self, request: StringValue, _context: object) -> AsyncIterator[StringValue]:
        yield StringValue(value="first")
        yield await self.answer(request.value)

    async def stream_unary(self, requests: AsyncIterator[StringValue], _context: object) -> StringValue:
        return await self.answer(",".join([request.value async for request in requests]))

    async def stream_stream(
        self, requests: AsyncIterator[StringValue], _context: object
    ) -> AsyncIterator[StringValue]:
        async for request in requests:
            yield await self.answer(request.value)

    async def written(
        self, request: StringValue, context: "grpc.aio.ServicerContext[StringValue, StringValue]"
    ) -> None:
        await context.write(StringValue(value="first"))
        await context.write(await self.answer(request.value))

    def register(self, echo: "Echo", server: grpc.aio.Server) -> None:
        makers: dict[str, Any] = {
            "unary_unary": grpc.unary_unary_rpc_method_handler,
            "unary_stream": grpc.unary_stream_rpc_method_handler,
            "stream_unary": grpc.stream_unary_rpc_method_handler,
            "stream_stream": grpc.stream_stream_rpc_method_handler,
            "written": grpc.unary_stream_rpc_method_handler,
        }
        handlers = {
            name: make(
                getattr(echo, name),
                request_deserializer=StringValue.FromString,
                response_serializer=StringValue.SerializeToString,
            )
            for name, make in makers.items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        # As generated code does.
        server.add_registered_method_handlers(SERVICE, handlers)


@dataclass(frozen=True)
class Caller:
    """Calls Echo in every shape and returns all the texts it answers."""

    channel: grpc.aio.Channel

    async def __call__(
        self,
        shape: str,
        text: str,
        *,
        timeout: float | None = 10.0,  # noqa: ASYNC109 - the name of gRPC's own argument
    ) -> list[str]:
        maker: Any = getattr(self.channel, "unary_stream" if shape == "written" else shape)
        call = maker(
            f"/{SERVICE}/{shape}",
            request_serializer=StringValue.SerializeToString,
            response_deserializer=StringValue.FromString,
        )
        request: object = StringValue(value=text)
        if shape.startswith("stream"):
            request = iter([StringValue(value=text)])
        going = call(request, timeout=timeout)
        if shape in {"unary_unary", "stream_unary"}:
            return [(await going).value]
        return [message.value async for message in going]


@dataclass(frozen=True)
class Running:
    """A served Echo."""

    server: GrpcServer
    echo: Echo
    call: Caller
    registry: CollectorRegistry


SHAPES = ("unary_unary", "unary_stream", "stream_unary", "stream_stream", "written")


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> str:
    return str(request.param)


Serve = Callable[..., Any]


@pytest.fixture
def serve() -> Serve:
    @asynccontextmanager
    async def serving(
        behave: Callable[[str], Awaitable[str]],
        settings: GrpcServerSettings | None = None,
        **options: Any,
    ) -> AsyncIterator[Running]:
        settings = settings or GrpcServerSettings(drain_grace=timedelta(seconds=5))
        registry = CollectorRegistry()
        echo = Echo(behave)
        async with GrpcServer("echo", settings, registry=registry, **options) as server:
            server.add(echo.register, echo)
            await server.start()
            async with open_channel(f"127.0.0.1:{server.port}", GrpcClientSettings()) as channel:
                yield Running(server, echo, Caller(channel), registry)

    return serving
