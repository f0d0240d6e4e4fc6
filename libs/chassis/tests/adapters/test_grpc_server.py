import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from photochanger_chassis.errors import ErrorKind, RemoteError, Unavailable
from photochanger_chassis.grpc.channel import open_channel, ready
from photochanger_chassis.grpc.errors import translate_rpc_errors
from photochanger_chassis.grpc.health import Check
from photochanger_chassis.settings import GrpcClientSettings, GrpcServerSettings

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def _echo(text: str) -> str:
    return text


async def _health(port: int, name: str) -> int:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
    return int(answer.status)


async def _watch(port: int, name: str) -> AsyncIterator[int]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        async for answer in health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service=name)
        ):
            yield int(answer.status)


async def test_every_shape_of_call_is_served(serve: Any, shape: str) -> None:
    async with serve(_echo) as running:
        answers = await running.call(shape, "hello")
    assert answers[-1] == "hello"
    assert answers[:-1] in ([], ["first"])


async def test_a_call_without_a_deadline_is_refused_by_the_server(serve: Any) -> None:
    async with (
        serve(_echo) as running,
        grpc.aio.insecure_channel(f"127.0.0.1:{running.server.port}") as plain,
    ):
        call: Any = plain.unary_unary("/chassis.test.v1.Echo/unary_unary")
        with pytest.raises(RemoteError) as caught, translate_rpc_errors():
            await call(b"")
    assert caught.value.reason == "DEADLINE_REQUIRED"
    assert running.echo.calls == 0


async def test_a_call_without_a_timeout_does_not_leave_the_client(serve: Any, shape: str) -> None:
    async with serve(_echo) as running:
        with pytest.raises(ValueError, match="without a timeout"):
            await running.call(shape, "x", timeout=None)
    assert running.echo.calls == 0


async def test_calls_beyond_the_limit_are_refused_with_a_time_to_retry(serve: Any) -> None:
    release = asyncio.Event()

    async def behave(text: str) -> str:
        await release.wait()
        return text

    settings = GrpcServerSettings(grpc_max_concurrent_rpcs=1)
    async with serve(behave, settings) as running, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(running.call("unary_unary", "first"))
        await running.echo.entered.wait()
        with pytest.raises(RemoteError) as caught, translate_rpc_errors():
            await running.call("unary_unary", "second")
        assert await _health(running.server.port, "liveness") == SERVING  # probes are not counted
        release.set()
        assert await first == ["first"]
        assert await running.call("unary_unary", "third") == ["third"]
    assert caught.value.kind is ErrorKind.RESOURCE_EXHAUSTED
    assert caught.value.retry_after is not None


async def test_draining_lets_a_call_in_flight_finish_and_takes_no_new_one(serve: Any, shape: str) -> None:
    release = asyncio.Event()

    async def behave(text: str) -> str:
        await release.wait()
        return text

    async with serve(behave) as running, asyncio.TaskGroup() as tasks:
        port = running.server.port
        going = tasks.create_task(running.call(shape, "kept"))
        await running.echo.entered.wait()
        readiness = _watch(port, "readiness")
        assert await anext(readiness) == SERVING
        draining = tasks.create_task(running.server.drain())
        assert await anext(readiness) == NOT_SERVING
        await readiness.aclose()  # type: ignore[attr-defined]  # annotated as an iterator, is a generator
        while not await _refuses(port):
            pass  # the port closes a moment after readiness is gone
        release.set()
        assert (await going)[-1] == "kept"
        await draining


async def _refuses(port: int) -> bool:
    async with open_channel(f"127.0.0.1:{port}", GrpcClientSettings()) as late:
        try:
            await ready(late, within=timedelta(seconds=1))
        except Unavailable:
            return True
    return False


async def test_a_call_that_outlives_the_grace_is_ended_with_a_status(serve: Any) -> None:
    async def behave(_: str) -> str:
        await asyncio.Event().wait()
        return ""

    settings = GrpcServerSettings(drain_grace=timedelta(milliseconds=50))
    async with serve(behave, settings) as running, asyncio.TaskGroup() as tasks:
        going = tasks.create_task(_outcome(running.call("unary_unary", "x", timeout=60)))
        await running.echo.entered.wait()
        await running.server.drain()
        async with asyncio.timeout(20):
            assert isinstance(await going, Unavailable)


async def _outcome(call: Any) -> BaseException | None:
    try:
        with translate_rpc_errors():
            await call
    except Unavailable as error:
        return error
    return None


async def test_health_tells_liveness_readiness_and_each_check_apart(serve: Any) -> None:
    async def broken() -> None:
        raise OSError("no route")

    async def fine() -> None:
        return

    checks = [Check("postgres", fine), Check("nats", broken, required=False)]
    async with serve(_echo, checks=checks) as running:
        await running.server.health.check_now()
        port = running.server.port
        assert await _health(port, "") == SERVING
        assert await _health(port, "readiness") == SERVING
        assert await _health(port, "postgres") == SERVING
        assert await _health(port, "nats") == NOT_SERVING
        assert running.server.health.report() == {"postgres": True, "nats": False}


async def test_a_required_check_that_fails_takes_readiness_and_leaves_liveness(serve: Any) -> None:
    async def broken() -> None:
        raise OSError("no route")

    async with serve(_echo, checks=[Check("postgres", broken)]) as running:
        await running.server.health.check_now()
        port = running.server.port
        assert await _health(port, "readiness") == NOT_SERVING
        assert await _health(port, "liveness") == SERVING


async def test_answers_are_counted_by_method_and_code(serve: Any) -> None:
    async def behave(text: str) -> str:
        if text == "bug":
            raise KeyError(text)
        return text

    async with serve(behave) as running:
        await running.call("unary_unary", "fine")
        with pytest.raises(grpc.aio.AioRpcError):
            await running.call("unary_unary", "bug")
    method = "/chassis.test.v1.Echo/unary_unary"
    for code in ("OK", "INTERNAL"):
        labels = {"method": method, "code": code}
        assert running.registry.get_sample_value("grpc_server_calls_total", labels) == 1
    assert running.registry.get_sample_value("grpc_server_calls_in_flight", {"method": method}) == 0


async def test_an_idempotent_read_is_repeated_while_the_server_is_unavailable(serve: Any) -> None:
    answers = iter([Unavailable("Not yet."), Unavailable("Not yet."), None])

    async def behave(text: str) -> str:
        error = next(answers)
        if error is not None:
            raise error
        return text

    read = "chassis.test.v1.Echo/unary_unary"
    async with (
        serve(behave) as running,
        open_channel(
            f"127.0.0.1:{running.server.port}", GrpcClientSettings(), retried_reads=[read]
        ) as channel,
    ):
        call: Any = channel.unary_unary(f"/{read}")
        assert await call(b"\n\x01x", timeout=10) == b"\n\x01x"
    assert running.echo.calls == 3


async def test_other_calls_are_not_repeated(serve: Any) -> None:
    async def behave(_: str) -> str:
        raise Unavailable("Not now.")

    async with serve(behave) as running:
        with pytest.raises(RemoteError), translate_rpc_errors():
            await running.call("unary_unary", "x")
    assert running.echo.calls == 1


async def test_reflection_lists_the_services_when_asked_for(serve: Any) -> None:
    settings = GrpcServerSettings(grpc_reflection=True)
    async with (
        serve(_echo, settings) as running,
        grpc.aio.insecure_channel(f"127.0.0.1:{running.server.port}") as channel,
    ):
        call: Any = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        listing = call(iter([b"\x3a\x00"]), timeout=10)  # field 7, list_services, empty
        answer = await anext(aiter(listing))
    assert b"chassis.test.v1.Echo" in answer
    assert b"grpc.health.v1.Health" in answer
