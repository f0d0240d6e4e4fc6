"""Messages of the contract as values of the domain, and back."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from photochanger.media.v1 import media_object_pb2 as media_pb
from photochanger.media.v1 import media_service_pb2 as pb
from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_media.application.ports import Cursor
from photochanger_media.application.reading import Rendition
from photochanger_media.application.reception import DigestAlgorithm
from photochanger_media.application.storing import Place
from photochanger_media.application.upload import NewUpload
from photochanger_media.domain.byte_range import ByteRange
from photochanger_media.domain.media_object import (
    JobId,
    MediaId,
    MediaKind,
    MediaObject,
    SlotId,
    is_id,
    is_slot_id,
)

_KINDS: Final[Mapping[int, MediaKind]] = {
    media_pb.MEDIA_KIND_INPUT: MediaKind.INPUT,
    media_pb.MEDIA_KIND_RESULT: MediaKind.RESULT,
    media_pb.MEDIA_KIND_PREVIEW: MediaKind.PREVIEW,
    media_pb.MEDIA_KIND_TEMPLATE: MediaKind.TEMPLATE,
    media_pb.MEDIA_KIND_TEMPORARY: MediaKind.TEMPORARY,
}
_KIND_VALUES: Final[Mapping[MediaKind, media_pb.MediaKind.ValueType]] = {
    MediaKind.INPUT: media_pb.MEDIA_KIND_INPUT,
    MediaKind.RESULT: media_pb.MEDIA_KIND_RESULT,
    MediaKind.PREVIEW: media_pb.MEDIA_KIND_PREVIEW,
    MediaKind.TEMPLATE: media_pb.MEDIA_KIND_TEMPLATE,
    MediaKind.TEMPORARY: media_pb.MEDIA_KIND_TEMPORARY,
}
_DIGESTS: Final[Mapping[int, DigestAlgorithm]] = {
    pb.DIGEST_ALGORITHM_MD5: DigestAlgorithm.MD5,
    pb.DIGEST_ALGORITHM_SHA1: DigestAlgorithm.SHA1,
    pb.DIGEST_ALGORITHM_SHA256: DigestAlgorithm.SHA256,
    pb.DIGEST_ALGORITHM_SHA512: DigestAlgorithm.SHA512,
}
_DIGEST_VALUES: Final[Mapping[DigestAlgorithm, pb.DigestAlgorithm.ValueType]] = {
    DigestAlgorithm.MD5: pb.DIGEST_ALGORITHM_MD5,
    DigestAlgorithm.SHA1: pb.DIGEST_ALGORITHM_SHA1,
    DigestAlgorithm.SHA256: pb.DIGEST_ALGORITHM_SHA256,
    DigestAlgorithm.SHA512: pb.DIGEST_ALGORITHM_SHA512,
}


def wrong(field: str, wanted: str) -> InvalidArgument:
    """Makes the refusal of one field."""
    return InvalidArgument("The request is wrong.", field_violations=(FieldViolation(field, wanted),))


def media_id(text: str) -> MediaId:
    """Reads an object's id. Raises InvalidArgument."""
    if not is_id(text):
        raise wrong("media_object_id", "32 lower-case hex digits")
    return MediaId(text)


def job_id(text: str) -> JobId:
    """Reads a job's id. Raises InvalidArgument."""
    if not is_id(text):
        raise wrong("job_id", "32 lower-case hex digits")
    return JobId(text)


def optional_slot_id(text: str) -> SlotId | None:
    """Reads a slot's id; empty is none. Raises InvalidArgument."""
    if not text:
        return None
    if not is_slot_id(text):
        raise wrong("slot_id", "slot-001 to slot-015, api, or empty")
    return SlotId(text)


def kind(value: int, field: str = "kind") -> MediaKind:
    """Reads a kind. Raises InvalidArgument."""
    found = _KINDS.get(value)
    if found is None:
        raise wrong(field, "one of the known kinds")
    return found


def kind_value(value: MediaKind) -> media_pb.MediaKind.ValueType:
    """Writes a kind."""
    return _KIND_VALUES[value]


def rendition(value: int) -> Rendition:
    """Reads a rendition. Raises InvalidArgument."""
    if value in {media_pb.RENDITION_UNSPECIFIED, media_pb.RENDITION_FULL}:
        return Rendition.FULL
    if value == media_pb.RENDITION_PREVIEW:
        return Rendition.PREVIEW
    raise wrong("rendition", "full or preview")


def byte_range(message: pb.ByteRange) -> ByteRange:
    """Reads a range; an absent one is everything."""
    return ByteRange(message.offset, message.length)


def duration(message: Duration, field: str) -> timedelta:
    """Reads a length of time. Raises InvalidArgument."""
    try:
        return message.ToTimedelta()
    except (ValueError, OverflowError) as error:
        raise wrong(field, "a sensible length of time") from error


def instant(message: Timestamp, field: str) -> datetime:
    """Reads an instant. Raises InvalidArgument."""
    try:
        return message.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise wrong(field, "a sensible instant") from error


def timestamp(value: datetime) -> Timestamp:
    """Writes an instant."""
    message = Timestamp()
    message.FromDatetime(value)
    return message


def new_upload(header: pb.UploadHeader) -> NewUpload:
    """Reads what is uploaded. Raises InvalidArgument."""
    digests = []
    for value in header.digest_algorithms:
        if value not in _DIGESTS:
            raise wrong("header.digest_algorithms", "known algorithms")
        digests.append(_DIGESTS[value])
    retention = duration(header.retention, "header.retention") if header.HasField("retention") else None
    return NewUpload(
        place=Place(
            kind=kind(header.kind, "header.kind"),
            slot_id=SlotId(header.slot_id) if header.slot_id else None,
            job_id=JobId(header.job_id) if header.job_id else None,
            retention=retention,
        ),
        declared_mime_type=header.declared_mime_type,
        max_size_bytes=header.max_size_bytes,
        digests=frozenset(digests),
    )


def digests(values: Mapping[DigestAlgorithm, str]) -> list[pb.Digest]:
    """Writes digests."""
    return [
        pb.Digest(algorithm=_DIGEST_VALUES[algorithm], hex=value)
        for algorithm, value in sorted(values.items(), key=lambda item: item[0].value)
    ]


def media_object(value: MediaObject) -> media_pb.MediaObject:
    """Writes an object."""
    return media_pb.MediaObject(
        id=value.id,
        kind=_KIND_VALUES[value.kind],
        slot_id=value.slot_id or "",
        job_id=value.job_id or "",
        mime_type=value.format.mime,
        size_bytes=value.size_bytes,
        width_px=value.width_px,
        height_px=value.height_px,
        sha256=value.sha256,
        created_at=timestamp(value.created_at),
        expires_at=None if value.expires_at is None else timestamp(value.expires_at),
        orientation=value.orientation,
    )


def cursor(page_token: str) -> Cursor | None:
    """Reads where the page before ended. Raises InvalidArgument."""
    if not page_token:
        return None
    created_at, _, last_id = page_token.partition("_")
    if not is_id(last_id) or not created_at.isdecimal():
        raise wrong("page_token", "what a former answer gave")
    try:
        at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(created_at))
    except OverflowError as error:
        raise wrong("page_token", "what a former answer gave") from error
    return Cursor(at, MediaId(last_id))


def page_token(last: MediaObject) -> str:
    """Writes where a page ended."""
    since = last.created_at - datetime.fromtimestamp(0, UTC)
    return f"{since // timedelta(microseconds=1)}_{last.id}"
