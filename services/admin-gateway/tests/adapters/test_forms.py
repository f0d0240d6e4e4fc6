"""The camera's form: any order, every way to be wrong, and what media and ingest see of it."""

import asyncio
from datetime import timedelta

import pytest
from photochanger.ingest.v1 import job_service_pb2
from photochanger_chassis.clock import SystemClock
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.testing.builders import JPEG, a_refusal
from photochanger_gateway.testing.fake_ingest import PASSWORD
from photochanger_gateway.testing.fake_media import Received
from photochanger_gateway.testing.platform import Gateway, Platform, a_gateway, a_platform, settings_for
from photochanger_gateway.testing.wire import PHOTO, Part, connected, form, post_photo

PASSWORD_PART: Part = ("password", PASSWORD.encode())
WRONG_PART: Part = ("password", b"a-guess")
HASH_PART: Part = ("hash", b"7b6c683e1d3fd29c8701791c54e3c12a236f5a5b")
CUT_OFF_SECONDS = 20.0
"""Patience with a cancellation that must come: without it an upload that was not cut off counts as whole."""
BIG_PHOTO: Part = ("fileToUpload", JPEG + b"x" * 1_000_000)


def opened(platform: Platform) -> job_service_pb2.OpenJobRequest:
    """What ingest was asked to open, once."""
    (request,) = platform.ingest.script.of("OpenJob")
    assert isinstance(request, job_service_pb2.OpenJobRequest)
    return request


async def the_upload(platform: Platform) -> Received:
    """The only upload, ended."""
    (upload,) = platform.media.uploads
    await upload.ended.wait()
    return upload


@pytest.mark.parametrize(
    "parts",
    [
        [PASSWORD_PART, HASH_PART, ("time", b"1758217512"), PHOTO],
        [PHOTO, PASSWORD_PART, HASH_PART, ("time", b"1758217512")],
        [HASH_PART, PHOTO, ("time", b"1758217512"), PASSWORD_PART],
    ],
    ids=["photo last", "photo first", "photo in the middle"],
)
async def test_parts_may_come_in_any_order(gateway: Gateway, platform: Platform, parts: list[Part]) -> None:
    answer = await post_photo(gateway.port, parts)
    assert (answer.status, answer.body) == (200, JPEG)
    request = opened(platform)
    upload = await the_upload(platform)
    assert bytes(upload.data) == JPEG
    assert upload.header.declared_mime_type == "image/jpeg"
    assert upload.header.job_id == request.ticket.job_id
    assert request.input_media_object_id == upload.media_object_id
    assert (request.password, request.hash) == (PASSWORD, HASH_PART[1].decode())
    assert dict(request.form_fields) == {"time": "1758217512"}
    assert request.size_bytes == len(JPEG)


@pytest.mark.parametrize(
    ("parts", "algorithms"),
    [
        ([PASSWORD_PART, HASH_PART, PHOTO], [2]),
        ([PASSWORD_PART, ("hash", b"0" * 128), PHOTO], [4]),
        ([PASSWORD_PART, ("hash", b"no digest"), PHOTO], []),
        ([PASSWORD_PART, PHOTO, HASH_PART], [1, 2, 4]),
    ],
    ids=["sha-1 before", "sha-512 before", "none of ours", "after the photo"],
)
async def test_the_digest_of_the_hash_is_asked_for_and_all_when_it_comes_late(
    gateway: Gateway, platform: Platform, parts: list[Part], algorithms: list[int]
) -> None:
    assert (await post_photo(gateway.port, parts)).status == 200
    assert list((await the_upload(platform)).header.digest_algorithms) == algorithms
    assert {digest.algorithm for digest in opened(platform).digests} == {3, *algorithms}


async def test_a_wrong_password_before_the_photo_ends_the_upload_early(
    gateway: Gateway, platform: Platform
) -> None:
    platform.media.cancelled_within = CUT_OFF_SECONDS
    body = form(WRONG_PART, HASH_PART, BIG_PHOTO)
    async with connected(gateway.port) as connection:
        await connection.send_photo_head(Content_Length=str(len(body) + 5_000_000))
        await connection.send(body[:600_000])  # and never the rest
        answer = await connection.answer()
    assert (answer.status, answer.json()["failure_reason"]) == (401, "invalid_password")
    assert answer.headers["connection"] == "close"
    for upload in platform.media.uploads:  # the refusal may be faster than the upload's first message
        await upload.ended.wait()
        assert upload.whole is False
    assert platform.ingest.script.of("OpenJob") == []


async def test_a_wrong_password_cancels_an_upload_that_is_under_way(
    gateway: Gateway, platform: Platform
) -> None:
    platform.media.cancelled_within = CUT_OFF_SECONDS
    checked = platform.ingest.script.gates.setdefault("VerifyPassword", asyncio.Event())
    body = form(WRONG_PART, HASH_PART, BIG_PHOTO)
    async with connected(gateway.port) as connection:
        await connection.send_photo_head(Content_Length=str(len(body)))
        await connection.send(body[:600_000])
        await platform.media.upload_begun.wait()
        checked.set()
        assert (await connection.answer()).status == 401
    assert (await the_upload(platform)).whole is False


async def test_a_wrong_password_after_the_photo_is_refused_by_ingest_and_the_photo_deleted(
    gateway: Gateway, platform: Platform
) -> None:
    answer = await post_photo(gateway.port, [PHOTO, HASH_PART, WRONG_PART])
    assert answer.status == 401
    assert platform.ingest.script.of("VerifyPassword") == []
    assert platform.media.deleted == [(await the_upload(platform)).media_object_id]


async def test_wrong_passwords_are_counted_and_then_refused_on_the_head(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    settings = settings_for(platform, nats_url, wrong_password_rate_per_minute=2)
    async with a_gateway(settings, clock) as gateway:
        for _ in range(2):
            assert (await post_photo(gateway.port, [PHOTO, HASH_PART, WRONG_PART])).status == 401
        assert (await post_photo(gateway.port)).status == 429
        clock.advance(timedelta(minutes=1))
        assert (await post_photo(gateway.port)).status == 200


async def test_a_password_of_basic_authentication_counts_where_the_form_has_none(
    gateway: Gateway, platform: Platform
) -> None:
    basic = "Basic Ym9vdGg6Ym9vdGgtcGFzc3dvcmQtOQ=="  # booth:booth-password-9
    answer = await post_photo(gateway.port, [HASH_PART, PHOTO], Authorization=basic)
    assert answer.status == 200
    assert opened(platform).password == PASSWORD


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([HASH_PART, PHOTO], "password"),
        ([PASSWORD_PART, HASH_PART], "fileToUpload"),
        ([PASSWORD_PART, HASH_PART, PHOTO, PHOTO], "twice"),
        ([PASSWORD_PART, PASSWORD_PART, PHOTO], "twice"),
        ([PASSWORD_PART, ("hash", b""), ("hash", b""), PHOTO], "twice"),
        ([PASSWORD_PART, ("note", b"x" * 70_000), PHOTO], "65536"),
    ],
    ids=["no password", "no photo", "two photos", "two passwords", "two hashes", "too much"],
)
async def test_a_form_that_cannot_be_used_is_refused_with_what_is_wrong(
    gateway: Gateway, platform: Platform, parts: list[Part], words: str
) -> None:
    answer = await post_photo(gateway.port, parts)
    assert (answer.status, answer.json()["failure_reason"]) == (400, "invalid_request")
    assert words in answer.json()["details"]
    assert platform.ingest.script.of("OpenJob") == []


async def test_sixty_four_fields_of_the_booth_fit_beside_password_and_hash(
    gateway: Gateway, platform: Platform
) -> None:
    fields = [(f"survey_{number}", b"yes") for number in range(64)]
    assert (await post_photo(gateway.port, [PASSWORD_PART, HASH_PART, *fields, PHOTO])).status == 200
    more = [*fields, ("one more", b"no")]
    assert (await post_photo(gateway.port, [PASSWORD_PART, HASH_PART, *more, PHOTO])).status == 400
    assert len(opened(platform).form_fields) == 64


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
async def test_a_photo_over_the_limit_is_refused_while_it_streams(
    gateway: Gateway, platform: Platform, chunked: bool
) -> None:
    platform.media.cancelled_within = CUT_OFF_SECONDS
    platform.ingest.size_limit_bytes = 500_000
    body = form(PASSWORD_PART, HASH_PART, ("fileToUpload", JPEG + b"x" * 500_000))
    async with connected(gateway.port) as connection:
        if chunked:
            await connection.send_photo_head(Transfer_Encoding="chunked")
            for start in range(0, len(body), 60_000):
                piece = body[start : start + 60_000]
                await connection.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        else:
            await connection.send_photo_head(Content_Length=str(len(body)))
            await connection.send(body)
        answer = await connection.answer()
    assert (answer.status, answer.json()["failure_reason"]) == (413, "payload_too_large")
    assert "500000" in answer.json()["details"]
    assert (await the_upload(platform)).whole is False


async def test_a_chunked_form_without_a_length_is_taken(gateway: Gateway, platform: Platform) -> None:
    body = form()
    async with connected(gateway.port) as connection:
        await connection.send_photo_head(Transfer_Encoding="chunked")
        for start in range(0, len(body), 1000):
            piece = body[start : start + 1000]
            await connection.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        await connection.send(b"0\r\n\r\n")
        assert (await connection.answer()).status == 200
    request = platform.ingest.script.of("CheckAdmission")[0]
    assert not request.HasField("declared_size_bytes")


async def test_a_broken_boundary_is_refused(gateway: Gateway, platform: Platform) -> None:
    body = form().replace(b"------", b"--++--")
    async with connected(gateway.port) as connection:
        await connection.send_photo_head(Content_Length=str(len(body)))
        await connection.send(body)
        assert (await connection.answer()).json()["failure_reason"] == "invalid_request"
    assert platform.media.uploads == []


async def test_what_media_refuses_ends_the_form_with_its_reason(gateway: Gateway, platform: Platform) -> None:
    platform.media.script.refusals["Upload"] = a_refusal(
        "UNSUPPORTED_MEDIA_TYPE", ErrorKind.INVALID_ARGUMENT, "Send a JPEG."
    )
    answer = await post_photo(gateway.port, [PASSWORD_PART, HASH_PART, BIG_PHOTO])
    assert (answer.status, answer.json()["failure_reason"]) == (415, "unsupported_media_type")
    assert answer.json()["details"] == "Send a JPEG."


async def test_a_connection_cut_in_the_photo_cancels_the_upload_and_opens_nothing(
    gateway: Gateway, platform: Platform
) -> None:
    platform.media.cancelled_within = CUT_OFF_SECONDS
    body = form(PASSWORD_PART, HASH_PART, BIG_PHOTO)
    async with connected(gateway.port) as connection:
        await connection.send_photo_head(Content_Length=str(len(body)))
        await connection.send(body[:700_000])
        await platform.media.upload_begun.wait()
        await connection.cut()
    assert (await the_upload(platform)).whole is False
    assert platform.ingest.script.of("OpenJob") == []


async def test_a_client_that_falls_silent_is_cut_off(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    platform.media.cancelled_within = CUT_OFF_SECONDS
    settings = settings_for(platform, nats_url)
    async with (
        a_gateway(settings, clock, idle_timeout=timedelta(milliseconds=100)) as gateway,
        connected(gateway.port) as connection,
    ):
        await connection.send_photo_head(Content_Length="3000000")
        await connection.send(form(PASSWORD_PART, HASH_PART, BIG_PHOTO)[:600_000])
        answer = await connection.answer()
        assert await connection.rest() == b""
    assert (answer.status, answer.json()["failure_reason"]) == (400, "invalid_request")
    assert "No data came" in answer.json()["details"]
    assert (await the_upload(platform)).whole is False


async def test_a_form_that_is_not_whole_by_the_deadline_is_a_timeout(nats_url: str) -> None:
    clock = SystemClock()
    async with (
        a_platform(clock) as platform,
        a_gateway(settings_for(platform, nats_url), clock) as gateway,
        connected(gateway.port) as connection,
    ):
        platform.media.cancelled_within = CUT_OFF_SECONDS
        platform.ingest.deadline = timedelta(milliseconds=500)
        await connection.send_photo_head(Content_Length="3000000")
        await connection.send(form(PASSWORD_PART, HASH_PART, BIG_PHOTO)[:600_000])
        answer = await connection.answer()
        assert (await the_upload(platform)).whole is False
    assert answer.status == 504
    assert answer.json() | {"details": ""} == {
        "status": "timeout",
        "failure_reason": "provider_timeout",
        "details": "",
    }
