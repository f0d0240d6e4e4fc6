"""Pictures go in and come out, over gRPC, on real storage."""

from __future__ import annotations

import hashlib
from pathlib import Path

from photochanger_media.testing import Media

PHOTOS = Path(__file__).parents[4] / "tests" / "photos"


async def test_an_input_is_stored_as_it_came(media: Media) -> None:
    photo = (PHOTOS / "portrait-1536.jpg").read_bytes()
    stored = await media.upload(photo)
    assert stored.media_object.sha256 == hashlib.sha256(photo).hexdigest()
    info, data = await media.download(stored.media_object.id)
    assert data == photo
    assert info.media_object == stored.media_object
    assert (info.offset, info.length) == (0, len(photo))
