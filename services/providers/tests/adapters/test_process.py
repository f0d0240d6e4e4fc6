"""A photo's way through the service, over its real interface."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import partial
from io import BytesIO
from typing import Any, TypeVar

import pytest
from photochanger.media.v1.media_object_pb2 import MEDIA_KIND_RESULT, MEDIA_KIND_TEMPLATE
from photochanger.providers.v1.processing_service_pb2 import (
    OUTPUT_FORMAT_WEBP,
    CancelProcessingRequest,
    ProcessingEffort,
    ProcessRequest,
)
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.grpc.errors import detail_of, translate_rpc_errors
from photochanger_chassis.settings import PostgresSettings
from photochanger_devstack.embedded import PostgresServer
from photochanger_providers.domain.errors import BadProviderResponse, NetworkFailed, ProviderFault
from photochanger_providers.domain.repeat import Repeat
from photochanger_providers.testing.fake_media import DatabaseAway, FakeMedia, StorageAway
from photochanger_providers.testing.requests import a_request, blank, edited
from photochanger_providers.testing.scripted_driver import Script, answers, echoes, fails, waits_for
from PIL import Image
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict

StartReplica = Callable[..., Coroutine[Any, Any, Any]]
_T = TypeVar("_T")


async def refusal(call: Awaitable[_T]) -> ServiceError:
    """Returns the error the call ends with."""
    with pytest.raises(ServiceError) as caught, translate_rpc_errors():
        await call
    return caught.value


async def test_a_photo_comes_back_edited_and_is_stored_once(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    script = Script(deque([answers(edited(portrait))]))
    replica = await start_replica(script.entry())
    request = a_request(media.put(portrait))

    first = await replica.processing.Process(request, timeout=20)
    again = await replica.processing.Process(request, timeout=20)

    assert first == again
    assert first.provider_calls == 1
    assert first.model == "large-2"
    assert [stage.stage for stage in first.stages] == ["fetch", "provider", "check", "store"]
    ((stored, content),) = media.of_job(request.job_id, MEDIA_KIND_RESULT)
    assert stored.id == first.result.id
    assert content == edited(portrait)
    assert len(script.requests) == 1


async def test_the_driver_gets_an_upright_photo_templates_and_rendered_settings(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    photo = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(BytesIO(portrait)).convert("RGB").resize((600, 400)).save(photo, "JPEG", exif=exif)
    script = Script(deque([answers(edited(portrait))]))
    replica = await start_replica(script.entry())

    await replica.processing.Process(
        a_request(
            media.put(photo.getvalue()),
            settings_json='{"prompt": "Snow for {{ name | a guest }}", "note": "{{name}}"}',
            form_fields={"name": "Zoë\x00\n{{name}}"},
            templates=[(media.put(edited(portrait), kind=MEDIA_KIND_TEMPLATE), "background")],
        ),
        timeout=20,
    )

    (seen,) = script.requests
    assert (seen.photo.width_px, seen.photo.height_px) == (400, 600)
    assert [template.role for template in seen.templates] == ["background"]
    assert seen.settings == {
        "prompt": "Snow for Zoë {{name}}",
        "note": "{{name}}",
        "model": "large",
        "strength": 40,
        "size": {"ratio": "3:2"},
    }


async def test_calls_for_one_job_on_two_replicas_share_one_call_of_the_provider(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    go = asyncio.Event()
    script = Script(deque([waits_for(go, answers(edited(portrait)))]))
    one, other = await start_replica(script.entry()), await start_replica(script.entry())
    request = a_request(media.put(portrait))

    calls = [
        asyncio.ensure_future(replica.processing.Process(request, timeout=20))
        for replica in (one, other, one, other)
    ]
    await script.busy()
    go.set()
    results = await asyncio.gather(*calls)

    assert len({result.result.id for result in results}) == 1
    assert len(script.requests) == 1


async def test_the_work_goes_on_when_the_caller_hangs_up(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    go = asyncio.Event()
    script = Script(deque([waits_for(go, answers(edited(portrait)))]))
    replica = await start_replica(script.entry())
    request = a_request(media.put(portrait))

    call = replica.processing.Process(request, timeout=20)
    await script.busy()
    call.cancel()
    go.set()
    result = await replica.processing.Process(request, timeout=20)

    assert media.of_job(request.job_id, MEDIA_KIND_RESULT)[0][0].id == result.result.id
    assert len(script.requests) == 1


async def test_cancelling_on_one_replica_stops_the_work_on_another(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    script = Script(deque([waits_for(asyncio.Event(), answers(portrait))]))
    one, other = await start_replica(script.entry()), await start_replica(script.entry())
    request = a_request(media.put(portrait))

    call = asyncio.ensure_future(refusal(one.processing.Process(request, timeout=20)))
    await script.busy()
    wanted = CancelProcessingRequest(job_id=request.job_id)
    first = await other.processing.CancelProcessing(wanted, timeout=5)
    error = await call
    second = await other.processing.CancelProcessing(wanted, timeout=5)

    assert (first.stopped, second.stopped) == (True, False)
    assert error.reason == "CANCELLED"
    assert script.under_way == 0


async def test_a_provider_that_hangs_is_left_at_the_deadline(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    script = Script(deque([waits_for(asyncio.Event(), answers(portrait))]))
    replica = await start_replica(script.entry())

    error = await refusal(replica.processing.Process(a_request(media.put(portrait), seconds=1), timeout=20))

    assert error.reason == "TIMEOUT"
    assert script.under_way == 0


async def test_a_failure_tells_where_the_time_went_and_what_was_called_to_every_caller(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    again = Repeat.backoff(2, first=timedelta(milliseconds=1))
    script = Script(
        deque([fails(ProviderFault("busy", repeat=again)), answers(b"<html>"), answers(b"<html>")])
    )
    one, other = await start_replica(script.entry()), await start_replica(script.entry())
    request = a_request(media.put(portrait))

    first = await refusal(one.processing.Process(request, timeout=20))
    second = await refusal(other.processing.Process(request, timeout=20))

    effort = detail_of(first, ProcessingEffort)
    assert [stage.stage for stage in effort.stages] == ["fetch", "provider", "check"]
    assert effort.provider_calls == 2
    assert detail_of(second, ProcessingEffort) == effort


async def test_a_timeout_tells_how_long_the_provider_was_waited_for(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    script = Script(deque([waits_for(asyncio.Event(), answers(portrait))]))
    replica = await start_replica(script.entry())

    error = await refusal(replica.processing.Process(a_request(media.put(portrait), seconds=1), timeout=20))

    took = {stage.stage: stage.duration.ToTimedelta() for stage in detail_of(error, ProcessingEffort).stages}
    assert list(took) == ["fetch", "provider"]
    assert took["provider"] > timedelta()


async def test_late_work_goes_on_after_the_deadline(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    go = asyncio.Event()
    script = Script(deque([waits_for(go, answers(edited(portrait)))]))
    replica = await start_replica(script.entry())
    request = a_request(media.put(portrait), seconds=0.6, late_seconds=20)

    assert (await refusal(replica.processing.Process(request, timeout=1))).reason == "DEADLINE_PASSED"
    assert script.under_way == 1
    go.set()
    result = await replica.processing.Process(request, timeout=20)

    assert media.of_job(request.job_id, MEDIA_KIND_RESULT)[0][0].id == result.result.id


async def test_a_call_is_repeated_only_as_its_error_allows(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    script = Script(
        deque(
            [
                fails(ProviderFault("busy", repeat=Repeat.backoff(2, first=timedelta(milliseconds=1)))),
                answers(edited(portrait)),
                fails(NetworkFailed("the answer was lost")),
                answers(edited(portrait)),
            ]
        )
    )
    replica = await start_replica(script.entry())
    photo = media.put(portrait)

    repeated = await replica.processing.Process(a_request(photo), timeout=20)
    refused = await refusal(replica.processing.Process(a_request(photo), timeout=20))

    assert repeated.provider_calls == 2
    assert refused.reason == "NETWORK"
    assert len(script.acts) == 1


@pytest.mark.parametrize("kind", ["blank", "the photo itself", "no picture"])
async def test_a_result_that_is_no_result_does_not_count(
    kind: str, start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    acts = {"blank": answers(blank()), "the photo itself": echoes(), "no picture": answers(b"<html>")}
    script = Script(deque([acts[kind], answers(edited(portrait)), acts[kind], acts[kind]]))
    replica = await start_replica(script.entry())
    photo = media.put(portrait)

    repeated = await replica.processing.Process(a_request(photo), timeout=20)
    refused = await refusal(replica.processing.Process(a_request(photo), timeout=20))

    assert repeated.provider_calls == 2
    assert refused.reason == "BAD_RESPONSE"


async def test_a_result_is_brought_into_the_wanted_format(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    script = Script(deque([answers(edited(portrait))]))
    replica = await start_replica(script.entry())

    result = await replica.processing.Process(
        a_request(media.put(portrait), output_format=OUTPUT_FORMAT_WEBP), timeout=20
    )

    assert result.result.mime_type == "image/webp"


async def test_storage_that_is_away_for_a_moment_costs_no_second_call_of_the_provider(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    away = StorageAway("away", retry_after=timedelta(seconds=1))
    script = Script(deque([answers(edited(portrait))]))
    replica = await start_replica(script.entry())
    photo = media.put(portrait)
    media.failures = [away, DatabaseAway("away", retry_after=timedelta(seconds=1)), away]

    result = await replica.processing.Process(a_request(photo), timeout=20)

    assert result.provider_calls == 1
    assert not media.failures


async def test_a_photo_that_is_gone_fails_at_once_and_calls_nobody(
    start_replica: StartReplica, media: FakeMedia
) -> None:
    script = Script()
    replica = await start_replica(script.entry())

    error = await refusal(replica.processing.Process(a_request("0" * 32), timeout=20))

    assert error.reason == "STORAGE_UNAVAILABLE"
    assert not script.requests


async def test_the_limit_of_parallel_calls_holds_over_replicas(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    go = asyncio.Event()
    script = Script(deque([waits_for(go, answers(edited(portrait)))] * 6))
    replicas = [await start_replica(script.entry(limit=2)) for _ in range(2)]
    photo = media.put(portrait)

    calls = [
        asyncio.ensure_future(replicas[number % 2].processing.Process(a_request(photo), timeout=20))
        for number in range(6)
    ]
    await script.busy(2)
    go.set()
    await asyncio.gather(*calls)

    assert script.most_under_way == 2
    assert len(script.requests) == 6


async def test_a_photo_for_which_no_place_becomes_free_in_time_is_refused(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    go = asyncio.Event()
    script = Script(deque([waits_for(go, answers(edited(portrait)))]))
    replica = await start_replica(script.entry(limit=1))
    photo = media.put(portrait)

    first = asyncio.ensure_future(replica.processing.Process(a_request(photo), timeout=20))
    await script.busy()
    error = await refusal(replica.processing.Process(a_request(photo, seconds=2.2), timeout=20))
    go.set()
    await first

    assert error.reason == "PROVIDER_BUSY"
    assert error.retry_after is not None
    assert len(script.requests) == 1


async def test_an_open_breaker_keeps_every_replica_from_calling(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    script = Script(deque([fails(ProviderFault("broken"))] * 3))
    replicas = [await start_replica(script.entry(), breaker_threshold=3) for _ in range(2)]
    photo = media.put(portrait)

    seen = [
        (await refusal(replicas[number % 2].processing.Process(a_request(photo), timeout=20))).reason
        for number in range(3)
    ]
    refused = await refusal(replicas[1].processing.Process(a_request(photo), timeout=20))
    other_model = a_request(photo, settings_json='{"prompt": "snow", "model": "small"}')
    script.acts.append(answers(edited(portrait)))
    await replicas[0].processing.Process(other_model, timeout=20)

    assert seen == ["PROVIDER_5XX"] * 3
    assert refused.reason == "PROVIDER_UNAVAILABLE"
    assert refused.retry_after is not None
    assert len(script.requests) == 4


async def test_a_stop_finishes_what_is_under_way(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    go = asyncio.Event()
    script = Script(deque([waits_for(go, answers(edited(portrait)))]))
    replica = await start_replica(script.entry())
    request = a_request(media.put(portrait))

    call = asyncio.ensure_future(replica.processing.Process(request, timeout=20))
    await script.busy()
    stopping = asyncio.ensure_future(replica.stop())
    go.set()
    result = await call
    await stopping

    assert result.provider_calls == 1
    assert script.closed


async def test_a_stop_that_cannot_wait_ends_the_job_so_that_nobody_waits(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    script = Script(deque([waits_for(asyncio.Event(), answers(portrait))]))
    one, other = await start_replica(script.entry()), await start_replica(script.entry())
    request = a_request(media.put(portrait))

    call = asyncio.ensure_future(refusal(one.processing.Process(request, timeout=20)))
    await script.busy()
    await one.stop()

    assert (await call).reason == "NETWORK"
    assert (await refusal(other.processing.Process(request, timeout=20))).reason == "NETWORK"
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("request_for", "reason"),
    [
        (partial(a_request, provider_id="nobody"), "CONFIG"),
        (partial(a_request, operation_id="nothing"), "CONFIG"),
        (partial(a_request, settings_json='{"prompt": "x", "colour": 1}'), "CONFIG"),
        (partial(a_request, operation_id="compose"), "CONFIG"),
        (partial(a_request, settings_json="[]"), "INVALID_ARGUMENT"),
    ],
)
async def test_what_the_operation_does_not_know_is_refused_before_anything_is_called(
    request_for: Callable[[str], ProcessRequest],
    reason: str,
    start_replica: StartReplica,
    media: FakeMedia,
    portrait: bytes,
) -> None:
    script = Script()
    replica = await start_replica(script.entry())

    error = await refusal(replica.processing.Process(request_for(media.put(portrait)), timeout=20))

    assert error.reason == reason
    assert not script.requests


async def test_an_outage_of_the_database_loses_no_outcome(
    start_replica: StartReplica,
    media: FakeMedia,
    portrait: bytes,
    database: PostgresSettings,
    postgres_server: PostgresServer,
) -> None:
    go = asyncio.Event()
    script = Script(deque([waits_for(go, answers(edited(portrait)))]))
    replica = await start_replica(script.entry())
    request = a_request(media.put(portrait), seconds=40)
    name = str(conninfo_to_dict(database.database_url.get_secret_value())["dbname"])

    call = asyncio.ensure_future(replica.processing.Process(request, timeout=40))
    await script.busy()
    async with await AsyncConnection.connect(postgres_server.url(), autocommit=True) as admin:
        database_name = sql.Identifier(name)
        await admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database_name))
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        go.set()
        # The outage lasts until the result is in media, and its outcome has nowhere to go.
        async with asyncio.timeout(20):
            await media.stored.wait()
        await admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database_name))

    assert (await call).provider_calls == 1
    assert len(script.requests) == 1


async def test_a_driver_with_a_bug_ends_its_job_and_nothing_else(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    replica = await start_replica(Script().entry())

    error = await refusal(replica.processing.Process(a_request(media.put(portrait)), timeout=20))

    assert error.reason == BadProviderResponse.reason
