"""Looking at pictures as a person would: their pixels, and what else is in the file."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

_SIDE_PX = 256
_FACE = (0.37, 0.19, 0.51, 0.34)
_METADATA = (b"Exif\0\0", b"http://ns.adobe.com", b"GPS", b"eXIf", b"tEXt")


def pixels(data: bytes) -> Pixels:
    """The picture as stored (EXIF orientation is not applied), small, so that formats and sizes compare."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB").resize((_SIDE_PX, _SIDE_PX)), dtype=np.float32)


def face(picture: Pixels) -> Pixels:
    """The middle of the face, which is at the same place in every upright portrait of tests/photos."""
    left, top, right, bottom = (round(share * _SIDE_PX) for share in _FACE)
    return picture[top:bottom, left:right]


def corner(picture: Pixels) -> Pixels:
    """A piece of background."""
    return picture[: _SIDE_PX // 10, : _SIDE_PX // 10]


def difference(one: Pixels, other: Pixels) -> float:
    """The mean difference of two pictures' values, which go from 0 to 255."""
    return float(np.abs(one - other).mean())


def metadata(data: bytes) -> list[bytes]:
    """Markers of metadata found anywhere in a file's bytes."""
    return [marker for marker in _METADATA if marker in data]


def orientation(data: bytes) -> int:
    """The EXIF orientation, 1 where there is none."""
    with Image.open(io.BytesIO(data)) as picture:
        return int(picture.getexif().get(0x0112, 1))
