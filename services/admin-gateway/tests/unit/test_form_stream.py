"""The streaming form parser: any chunk boundaries, any order of parts, hard limits."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import DeadlinePassed, ServiceError
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.adapters.http.form_stream import read_form
from photochanger_gateway.domain.form import (
    FieldReceived,
    FormEvent,
    FormLimits,
    PhotoBegun,
    PhotoChunk,
    PhotoEnded,
)
from photochanger_gateway.domain.refusals import InvalidRequest, PayloadTooLarge

BOUNDARY = "----booth7f3a"
PHOTO_LIMIT = 1000

Part = tuple[str, bytes]


def a_form(parts: Sequence[Part], *, closed: bool = True) -> bytes:
    body = b""
    for name, value in parts:
        extra = '; filename="IMG_0001.JPG"\r\nContent-Type: image/jpeg' if name == "fileToUpload" else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
        body += head.encode() + value + b"\r\n"
    return body + (f"--{BOUNDARY}--\r\n".encode() if closed else b"")


async def pieces(body: bytes, cuts: Sequence[int]) -> AsyncIterator[bytes]:
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    for start, end in pairwise(edges):
        if end > start:
            yield body[start:end]


async def events_of(
    body: bytes,
    *,
    cuts: Sequence[int] = (),
    content_type: str = f"multipart/form-data; boundary={BOUNDARY}",
    limits: FormLimits | None = None,
    time_left: timedelta = timedelta(seconds=30),
) -> list[FormEvent]:
    clock = ManualClock()
    return [
        event
        async for event in read_form(
            content_type,
            pieces(body, cuts),
            limits=limits or FormLimits(),
            photo_limit_bytes=PHOTO_LIMIT,
            deadline=Deadline.after(clock.now(), time_left),
            clock=clock,
        )
    ]


def summary(events: list[FormEvent]) -> list[Part]:
    """What the form held, photo chunks joined, in order."""
    held: list[Part] = []
    photo = b""
    for event in events:
        match event:
            case FieldReceived(name, value):
                held.append((name, value.encode()))
            case PhotoBegun():
                photo = b""
            case PhotoChunk(data):
                photo += data
            case PhotoEnded():
                held.append(("fileToUpload", photo))
    return held


field_parts = st.tuples(
    st.sampled_from(["password", "hash", "time", "survey_1", "имя"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40).map(str.encode),
)
photo_parts = st.tuples(st.just("fileToUpload"), st.binary(max_size=PHOTO_LIMIT))


@given(
    fields=st.lists(field_parts, max_size=6),
    photo=photo_parts,
    place=st.integers(0, 6),
    cuts=st.lists(st.integers(0, 3000), max_size=12),
)
async def test_a_form_reads_the_same_however_it_is_cut_and_ordered(
    fields: list[Part], photo: Part, place: int, cuts: list[int]
) -> None:
    parts = [*fields[:place], photo, *fields[place:]]
    assert summary(await events_of(a_form(parts), cuts=cuts)) == parts


async def test_a_photo_of_exactly_the_limit_passes_and_one_more_byte_does_not() -> None:
    assert summary(await events_of(a_form([("fileToUpload", b"x" * PHOTO_LIMIT)])))
    with pytest.raises(PayloadTooLarge) as refusal:
        await events_of(a_form([("fileToUpload", b"x" * (PHOTO_LIMIT + 1))]))
    assert refusal.value.metadata["limitBytes"] == str(PHOTO_LIMIT)


async def test_a_body_that_grows_without_a_photo_is_cut_off() -> None:
    with pytest.raises(ServiceError) as refusal:
        await events_of(a_form([("note", b"x" * 70_000)]))
    assert refusal.value.reason == "INVALID_REQUEST"


@pytest.mark.parametrize(
    ("count", "refused"), [(FormLimits().fields, False), (FormLimits().fields + 1, True)]
)
async def test_there_are_at_most_64_fields(count: int, refused: bool) -> None:
    body = a_form([(f"field{number}", b"1") for number in range(count)])
    if refused:
        with pytest.raises(InvalidRequest, match="64"):
            await events_of(body)
    else:
        assert len(summary(await events_of(body))) == count


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=x",
        "multipart/form-data; boundary=",
    ],
)
async def test_what_is_not_a_multipart_form_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidRequest, match="multipart"):
        await events_of(b"x", content_type=content_type)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all",
        a_form([("password", b"1")], closed=False),
        a_form([("fileToUpload", b"cut")])[:-30],
        b"--wrong\r\n\r\n",
        a_form([("", b"nameless")]),
        a_form([("a\x00b", b"1")]),
    ],
    ids=["empty", "noise", "open", "cut", "wrong boundary", "nameless", "nul"],
)
async def test_a_broken_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        await events_of(body)


async def test_a_form_that_comes_after_the_deadline_is_not_read() -> None:
    with pytest.raises(DeadlinePassed):
        await events_of(a_form([("password", b"1")]), time_left=timedelta())


async def test_windows_code_page_fields_are_understood() -> None:
    events = await events_of(a_form([("profile", "Свадьба".encode("cp1251"))]))
    assert summary(events) == [("profile", "Свадьба".encode())]


async def test_the_declared_type_of_the_photo_is_passed_on_without_parameters() -> None:
    body = a_form([("fileToUpload", b"x")]).replace(b"image/jpeg", b"Image/JPEG; charset=binary")
    assert PhotoBegun("image/jpeg") in await events_of(body)
