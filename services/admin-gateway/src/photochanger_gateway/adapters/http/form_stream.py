"""Parses multipart/form-data as it arrives, within hard limits.

Parsing is python-multipart's; what is ours is turning its callbacks into events and stopping in time. Nothing of the
body is asked for before the first event is, so an HTTP client that waits for `100 Continue` has sent nothing yet.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Final

from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import DeadlinePassed
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from photochanger_gateway.domain.form import (
    HASH_FIELD,
    PASSWORD_FIELD,
    PHOTO_FIELD,
    FieldReceived,
    FormEvent,
    FormLimits,
    PhotoBegun,
    PhotoChunk,
    PhotoEnded,
)
from photochanger_gateway.domain.refusals import ClientGone, InvalidRequest, PayloadTooLarge

IDLE_TIMEOUT: Final = timedelta(seconds=10)
"""Longest silence of a client in the middle of its body. The whole body has until the job's deadline."""


async def read_request(
    request: Request,
    *,
    photo_limit_bytes: int,
    deadline: Deadline,
    clock: Clock,
    idle_timeout: timedelta = IDLE_TIMEOUT,
    photo_field: str = PHOTO_FIELD,
) -> AsyncGenerator[FormEvent]:
    """Yields the parts of a request's form, as `read_form` does.

    Raises:
        ClientGone: the client hung up.
    """
    events = read_form(
        request.headers.get("content-type", ""),
        request.stream(),
        limits=FormLimits(),
        photo_limit_bytes=photo_limit_bytes,
        deadline=deadline,
        clock=clock,
        idle_timeout=idle_timeout,
        photo_field=photo_field,
    )
    try:
        async with aclosing(events):
            async for event in events:
                yield event
    except ClientDisconnect as error:
        raise ClientGone from error


def read_upload(
    request: Request,
    *,
    photo_limit_bytes: int,
    deadline: Deadline,
    clock: Clock,
    idle_timeout: timedelta,
    photo_field: str,
) -> AsyncGenerator[FormEvent]:
    """Reads as `read_request` does, where the limit is known before the form.

    Raises:
        PayloadTooLarge: the body declares more than fits. Nothing of it is asked for.
    """
    declared = declared_length(request)
    if declared is not None and declared > photo_limit_bytes + FormLimits().overhead_bytes:
        raise PayloadTooLarge(declared, photo_limit_bytes)
    return read_request(
        request,
        photo_limit_bytes=photo_limit_bytes,
        deadline=deadline,
        clock=clock,
        idle_timeout=idle_timeout,
        photo_field=photo_field,
    )


def declared_length(request: Request) -> int | None:
    """The body's declared length; the HTTP server has refused a header that is no number."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None  # noqa: PLR2004 - petabytes


async def read_form(
    content_type: str,
    body: AsyncIterator[bytes],
    *,
    limits: FormLimits,
    photo_limit_bytes: int,
    deadline: Deadline,
    clock: Clock,
    idle_timeout: timedelta = IDLE_TIMEOUT,
    photo_field: str = PHOTO_FIELD,
) -> AsyncGenerator[FormEvent]:
    """Yields the form's parts in the order they come. `photo_field` is the name of the part with the picture.

    Raises:
        InvalidRequest: not a multipart form, broken, cut off, or over a limit on fields.
        PayloadTooLarge: the photo, or the body as a whole, is larger than allowed.
        DeadlinePassed: the body took too long.
    """
    sink = _EventSink(limits, photo_limit_bytes, photo_field)
    parser = sink.parser(content_type)
    received = 0
    chunks = aiter(body)
    while True:
        if deadline.passed(clock.now()):  # a timeout of 0 would let through what is already here
            raise _too_slow(deadline, clock, idle_timeout)
        try:
            async with asyncio.timeout(min(idle_timeout, deadline.remaining(clock.now())).total_seconds()):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise _too_slow(deadline, clock, idle_timeout) from None
        if chunk is None:
            break
        received += len(chunk)
        if received > photo_limit_bytes + limits.overhead_bytes:
            raise PayloadTooLarge(received, photo_limit_bytes)
        try:
            parser.write(chunk)
        except FormParserError as error:
            raise InvalidRequest(f"The form is broken: {error}.") from error
        while sink.events:
            yield sink.events.popleft()
    if not sink.complete:
        raise InvalidRequest("The form ended before its closing boundary. The connection may have been cut.")


def _too_slow(deadline: Deadline, clock: Clock, idle_timeout: timedelta) -> InvalidRequest | DeadlinePassed:
    if deadline.passed(clock.now()):
        return DeadlinePassed("The photo took longer to arrive than the slot waits for a result.")
    return InvalidRequest(
        f"No data came for {idle_timeout.total_seconds():g} s in the middle of the form. Check the network."
    )


class _EventSink:
    """Collects the parser's callbacks and turns them into events."""

    def __init__(self, limits: FormLimits, photo_limit_bytes: int, photo_field: str) -> None:
        self.events: deque[FormEvent] = deque()
        self.complete = False
        self._limits = limits
        self._photo_limit = photo_limit_bytes
        self._photo_field = photo_field
        self._photo_size = 0
        self._fields = 0
        self._fields_size = 0
        self._headers: dict[bytes, bytes] = {}
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._name: str | None = None
        self._value = bytearray()

    def parser(self, content_type: str) -> MultipartParser:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise InvalidRequest("The request must be multipart/form-data with a boundary.")
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begin,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value_part,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._part_data,
                    "on_part_end": self._part_end,
                    "on_end": self._end,
                },
                max_header_count=self._limits.part_headers,
                max_header_size=self._limits.part_header_bytes,
            )
        except FormParserError as error:
            raise InvalidRequest(f"The form's boundary is not usable: {error}.") from error

    def _part_begin(self) -> None:
        self._headers.clear()
        self._value.clear()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_value_part(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_end(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        raw = options.get(b"name", b"")
        name = _text(raw)
        if not name or len(name) > self._limits.name_characters:
            raise InvalidRequest(
                "A part of the form has no name, or one of more than "
                f"{self._limits.name_characters} characters."
            )
        self._name = name
        if self._name == self._photo_field:
            declared = self._headers.get(b"content-type", b"").decode("latin-1").strip().lower()
            self.events.append(PhotoBegun(declared.partition(";")[0].strip()))
            return
        self._fields += self._name not in {PASSWORD_FIELD, HASH_FIELD}
        if self._fields > self._limits.fields:
            raise InvalidRequest(f"The form has more than {self._limits.fields} fields.")
        self._count_field_bytes(len(raw))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name == self._photo_field:
            self._photo_size += end - start
            if self._photo_size > self._photo_limit:
                raise PayloadTooLarge(self._photo_size, self._photo_limit)
            self.events.append(PhotoChunk(data[start:end]))
            return
        self._count_field_bytes(end - start)
        self._value += data[start:end]

    def _part_end(self) -> None:
        if self._name == self._photo_field:
            self.events.append(PhotoEnded())
        elif self._name is not None:
            self.events.append(FieldReceived(self._name, _text(bytes(self._value))))
        self._name = None

    def _end(self) -> None:
        self.complete = True

    def _count_field_bytes(self, size: int) -> None:
        self._fields_size += size
        if self._fields_size > self._limits.fields_bytes:
            raise InvalidRequest(
                f"The form's fields have more than {self._limits.fields_bytes} bytes in all, photo aside."
            )


def _text(raw: bytes) -> str:
    """Decodes a field. Booth programs on Windows send paths in the system's code page when they are not UTF-8."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1251", errors="replace")
    if "\x00" in text:
        raise InvalidRequest("A field of the form holds a NUL character.")
    return text
