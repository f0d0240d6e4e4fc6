"""Rows of `media_objects` as values, and back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from photochanger_imaging.formats import ImageFormat
from psycopg import sql
from psycopg.rows import DictRow

from photochanger_media.domain.media_object import (
    EndReason,
    JobId,
    MediaId,
    MediaKind,
    MediaObject,
    PreviewState,
    SlotId,
)

_NAMES: Final = (
    "id", "kind", "slot_id", "job_id", "parent_id", "key", "format", "size_bytes", "width_px", "height_px",
    "orientation", "sha256", "etag", "created_at", "expires_at", "preview", "end_reason",
)  # fmt: skip
COLUMNS: Final = sql.SQL(", ").join(sql.Identifier(name) for name in _NAMES)
# In a SELECT a parameter does not take the type of the column it is for.
_TYPES: Final = {
    "size_bytes": sql.SQL("::bigint"),
    "width_px": sql.SQL("::integer"),
    "height_px": sql.SQL("::integer"),
    "orientation": sql.SQL("::smallint"),
    "created_at": sql.SQL("::timestamptz"),
    "expires_at": sql.SQL("::timestamptz"),
}
VALUES: Final = sql.SQL(", ").join(sql.Placeholder(name) + _TYPES.get(name, sql.SQL("")) for name in _NAMES)


def to_row(media_object: MediaObject) -> Mapping[str, str | int | datetime | None]:
    """Returns the values of an object by column."""
    return {
        "id": media_object.id,
        "kind": media_object.kind.value,
        "slot_id": media_object.slot_id,
        "job_id": media_object.job_id,
        "parent_id": media_object.parent_id,
        "key": media_object.key,
        "format": media_object.format.value,
        "size_bytes": media_object.size_bytes,
        "width_px": media_object.width_px,
        "height_px": media_object.height_px,
        "orientation": media_object.orientation,
        "sha256": media_object.sha256,
        "etag": media_object.etag,
        "created_at": media_object.created_at,
        "expires_at": media_object.expires_at,
        "preview": media_object.preview.value,
        "end_reason": None if media_object.end is None else media_object.end.value,
    }


def from_row(row: DictRow) -> MediaObject:
    """Returns the object of a row."""
    values: dict[str, Any] = row
    return MediaObject(
        id=MediaId(values["id"]),
        kind=MediaKind(values["kind"]),
        slot_id=None if values["slot_id"] is None else SlotId(values["slot_id"]),
        job_id=None if values["job_id"] is None else JobId(values["job_id"]),
        parent_id=None if values["parent_id"] is None else MediaId(values["parent_id"]),
        key=values["key"],
        format=ImageFormat(values["format"]),
        size_bytes=values["size_bytes"],
        width_px=values["width_px"],
        height_px=values["height_px"],
        orientation=values["orientation"],
        sha256=values["sha256"],
        etag=values["etag"],
        created_at=values["created_at"],
        expires_at=values["expires_at"],
        preview=PreviewState(values["preview"]),
        end=None if values["end_reason"] is None else EndReason(values["end_reason"]),
    )


def from_rows(rows: Sequence[DictRow]) -> list[MediaObject]:
    """Returns the objects of rows."""
    return [from_row(row) for row in rows]
