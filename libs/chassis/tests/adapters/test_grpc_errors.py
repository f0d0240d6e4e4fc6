import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf import duration_pb2, timestamp_pb2
from photochanger_chassis.errors import (
    DeadlinePassed,
    ErrorKind,
    FieldViolation,
    InvalidArgument,
    RemoteError,
    ServiceError,
    Unavailable,
)
from photochanger_chassis.grpc.errors import detail_of, from_rpc_error, translate_rpc_errors


def _error_of(kind: ErrorKind) -> ServiceError:
    cls = type("Planted", (ServiceError,), {"kind": kind, "reason": f"PLANTED_{kind.name}"})
    error: ServiceError = cls(
        "Ключ не подходит.",
        retry_after=timedelta(seconds=2, milliseconds=500),
        field_violations=(FieldViolation("settings.password", "at least 8 characters"),),
        slotId="slot-001",
    )
    return error


async def test_messages_of_the_contract_cross_the_wire_and_are_passed_on(serve: Any) -> None:
    async def behave(_: str) -> str:
        error = InvalidArgument("No.")
        error.details = (duration_pb2.Duration(seconds=7),)
        raise error

    async def pass_on(text: str) -> str:
        async with serve(behave) as first:
            with translate_rpc_errors():
                await first.call("unary_unary", text)
        return ""

    async with serve(pass_on) as running:
        with pytest.raises(RemoteError) as caught, translate_rpc_errors():
            await running.call("unary_unary", "x")
    assert detail_of(caught.value, duration_pb2.Duration).seconds == 7
    assert detail_of(caught.value, timestamp_pb2.Timestamp) == timestamp_pb2.Timestamp()


@pytest.mark.parametrize("kind", list(ErrorKind))
async def test_an_error_of_every_kind_crosses_the_wire_whole(serve: Any, kind: ErrorKind) -> None:
    async def behave(_: str) -> str:
        raise _error_of(kind)

    async with serve(behave) as running:
        with pytest.raises(RemoteError) as caught, translate_rpc_errors():
            await running.call("unary_unary", "x")
    error = caught.value
    assert error.kind is kind
    assert error.reason == f"PLANTED_{kind.name}"
    assert error.domain == "photochanger.echo"
    assert error.message == "Ключ не подходит."
    assert error.metadata == {"slotId": "slot-001"}
    assert error.retry_after == timedelta(seconds=2.5)
    assert error.field_violations == (FieldViolation("settings.password", "at least 8 characters"),)


async def test_errors_are_mapped_in_every_shape_of_call(serve: Any, shape: str) -> None:
    async def behave(_: str) -> str:
        raise InvalidArgument("No.", slotId="x")

    async with serve(behave) as running:
        with pytest.raises(RemoteError) as caught, translate_rpc_errors():
            await running.call(shape, "x")
    assert caught.value.reason == "INVALID_ARGUMENT"


async def test_what_another_service_refused_is_passed_on_in_its_name(serve: Any) -> None:
    async def behave(_: str) -> str:
        raise RemoteError(
            "Gone.",
            kind=ErrorKind.NOT_FOUND,
            reason="OBJECT_NOT_FOUND",
            domain="photochanger.media",
            metadata={},
        )

    async with serve(behave) as running:
        with pytest.raises(RemoteError) as caught, translate_rpc_errors():
            await running.call("unary_unary", "x")
    assert (caught.value.domain, caught.value.reason) == ("photochanger.media", "OBJECT_NOT_FOUND")


async def test_a_bug_is_a_bare_internal_error_in_every_shape(serve: Any, shape: str) -> None:
    async def behave(_: str) -> str:
        raise KeyError("secret detail")

    async with serve(behave) as running:
        with pytest.raises(RemoteError) as caught, translate_rpc_errors():
            await running.call(shape, "x")
    assert caught.value.kind is ErrorKind.INTERNAL
    assert caught.value.domain == ""
    assert "secret" not in caught.value.message


def test_a_stream_whose_server_was_killed_can_be_tried_again() -> None:
    # Happens once in hundreds of kills, so it is made up here.
    nothing = grpc.aio.Metadata()
    error = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, nothing, nothing, "Internal error from Core")
    assert isinstance(from_rpc_error(error), Unavailable)


async def test_the_lone_error_of_a_task_group_is_found(serve: Any) -> None:
    async def behave(_: str) -> str:
        raise ExceptionGroup("group", [InvalidArgument("No.")])

    async with serve(behave) as running:
        with pytest.raises(RemoteError) as caught, translate_rpc_errors():
            await running.call("unary_unary", "x")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


async def test_a_handlers_own_cancellation_is_answered_long_before_the_deadline(
    serve: Any, shape: str
) -> None:
    async def behave(_: str) -> str:
        raise asyncio.CancelledError

    async with serve(behave) as running, asyncio.timeout(20):
        with pytest.raises(Unavailable), translate_rpc_errors():
            await running.call(shape, "x", timeout=60)


async def test_a_handler_that_cancels_its_own_task_is_answered_too(serve: Any) -> None:
    async def behave(_: str) -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.Event().wait()
        return ""

    async with serve(behave) as running, asyncio.timeout(20):
        with pytest.raises(Unavailable), translate_rpc_errors():
            await running.call("unary_unary", "x", timeout=60)


async def test_a_passed_deadline_is_named_and_stops_the_handler(serve: Any, shape: str) -> None:
    async def behave(_: str) -> str:
        await asyncio.Event().wait()
        return ""

    async with serve(behave) as running:
        with pytest.raises(DeadlinePassed), translate_rpc_errors():
            await running.call(shape, "x", timeout=0.2)
        async with asyncio.timeout(10):
            await running.echo.left.wait()


async def test_long_texts_are_cut_so_that_the_details_arrive(serve: Any) -> None:
    async def behave(_: str) -> str:
        many = {f"key{number}": "v" * 10_000 for number in range(50)}
        raise RemoteError(
            "я" * 100_000, kind=ErrorKind.ABORTED, reason="LONG", domain="photochanger.x", metadata=many
        )

    async with serve(behave) as running:
        with pytest.raises(RemoteError) as caught, translate_rpc_errors():
            await running.call("unary_unary", "x")
    assert caught.value.reason == "LONG"


async def test_a_server_that_is_not_there_is_unavailable(free_port: Any) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{free_port()}") as channel:
        call: Any = channel.unary_unary("/x/Y")
        with pytest.raises(Unavailable), translate_rpc_errors():
            await call(b"", timeout=10)
