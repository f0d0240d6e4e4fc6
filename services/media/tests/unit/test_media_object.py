"""Objects end on time, and lie where they should."""

from datetime import UTC, datetime, timedelta

import pytest
from photochanger_imaging.formats import ImageFormat
from photochanger_media.domain.errors import LinkExpired, MediaExpired, MediaNotFound, MediaNotPublic
from photochanger_media.domain.keys import is_object_key, lock_name, object_key
from photochanger_media.domain.link import Link, token_digest
from photochanger_media.domain.media_object import (
    EndReason,
    JobId,
    MediaId,
    MediaKind,
    MediaObject,
    SlotId,
    is_slot_id,
)
from photochanger_media.domain.retention import Retentions

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def an_object(
    *, kind: MediaKind = MediaKind.RESULT, expires_at: datetime | None = NOW, end: EndReason | None = None
) -> MediaObject:
    return MediaObject(
        id=MediaId("a" * 32),
        kind=kind,
        slot_id=SlotId("slot-001"),
        job_id=JobId("b" * 32),
        key="results/slot-001/b/payload.jpg",
        format=ImageFormat.JPEG,
        size_bytes=1,
        width_px=1,
        height_px=1,
        sha256="0" * 64,
        etag="tag",
        created_at=NOW - timedelta(hours=1),
        expires_at=expires_at,
        end=end,
    )


def test_an_object_ends_at_the_very_instant_of_its_expiry() -> None:
    an_object().check_readable(NOW - MOMENT)
    with pytest.raises(MediaExpired):
        an_object().check_readable(NOW)


def test_a_template_never_ends() -> None:
    an_object(kind=MediaKind.TEMPLATE, expires_at=None).check_readable(NOW + timedelta(days=10_000))


def test_a_tombstone_says_how_it_ended() -> None:
    with pytest.raises(MediaExpired):
        an_object(end=EndReason.EXPIRED).check_readable(NOW)
    for end in (EndReason.DELETED, EndReason.REPLACED, EndReason.LOST):
        with pytest.raises(MediaNotFound):
            an_object(end=end).check_readable(NOW)


def test_only_inputs_are_private() -> None:
    for kind in MediaKind:
        if kind is MediaKind.INPUT:
            with pytest.raises(MediaNotPublic):
                an_object(kind=kind).check_linkable()
        else:
            an_object(kind=kind).check_linkable()


def test_a_link_ends_at_the_very_instant_of_its_expiry() -> None:
    link = Link(token_digest("t"), MediaId("a" * 32), NOW)
    link.check_open(NOW - MOMENT)
    with pytest.raises(LinkExpired):
        link.check_open(NOW)


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (MediaKind.INPUT, "inputs/slot-003/job/id.jpg"),
        (MediaKind.RESULT, "results/slot-003/job/payload.jpg"),
        (MediaKind.PREVIEW, "results/slot-003/job/preview.jpg"),
        (MediaKind.TEMPLATE, "templates/slot-003/id.jpg"),
        (MediaKind.TEMPORARY, "temporary/id.jpg"),
    ],
)
def test_keys_follow_the_contract(kind: MediaKind, key: str) -> None:
    assert (
        object_key(
            kind,
            ImageFormat.JPEG,
            media_id=MediaId("id"),
            slot_id=SlotId("slot-003"),
            job_id=JobId("job"),
        )
        == key
    )


@pytest.mark.parametrize("kind", list(MediaKind))
def test_every_key_is_known_as_ours(kind: MediaKind) -> None:
    for slot_id in (SlotId("slot-003"), None) if kind is MediaKind.TEMPLATE else (SlotId("slot-003"),):
        key = object_key(
            kind, ImageFormat.WEBP, media_id=MediaId("a" * 32), slot_id=slot_id, job_id=JobId("b" * 32)
        )
        assert is_object_key(key)
    assert not is_object_key("inputs/slot-003/job/.tmp.0123")


def test_a_template_of_no_slot_is_shared() -> None:
    key = object_key(MediaKind.TEMPLATE, ImageFormat.PNG, media_id=MediaId("id"), slot_id=None, job_id=None)
    assert key == "templates/shared/id.png"


def test_a_templates_preview_lies_beside_it() -> None:
    key = object_key(
        MediaKind.PREVIEW,
        ImageFormat.WEBP,
        media_id=MediaId("c" * 32),
        slot_id=None,
        job_id=None,
        template_id=MediaId("a" * 32),
    )
    assert key == f"templates/shared/{'a' * 32}.preview.webp"
    assert is_object_key(key)


def test_a_result_and_its_preview_exclude_each_other_and_nobody_else() -> None:
    assert lock_name("results/slot-001/j/payload.jpg") == lock_name("results/slot-001/j/preview.webp")
    assert lock_name("inputs/slot-001/j/a.jpg") != lock_name("inputs/slot-001/j/b.jpg")


def test_a_template_keeps_no_retention_that_was_asked_for() -> None:
    retentions = Retentions(
        result=timedelta(hours=72), input=timedelta(hours=24), temporary=timedelta(hours=1)
    )
    day = timedelta(days=1)
    assert retentions.expires_at(MediaKind.TEMPLATE, now=NOW, asked=day) is None
    assert retentions.expires_at(MediaKind.RESULT, now=NOW, asked=None) == NOW + timedelta(hours=72)
    assert retentions.expires_at(MediaKind.INPUT, now=NOW, asked=day) == NOW + day


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("slot-001", True),
        ("slot-015", True),
        ("slot-016", False),
        ("slot-000", False),
        ("api", True),
        ("slot-001-api", False),
    ],
)
def test_there_are_fifteen_slots_and_the_place_of_jobs_without_one(text: str, *, known: bool) -> None:
    assert is_slot_id(text) is known
