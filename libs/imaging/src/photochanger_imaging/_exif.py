"""The one thing we read from EXIF: which way up the photo was taken."""

from typing import Final, Literal

EXIF_PREFIX: Final = b"Exif\x00\x00"
_ORIENTATION_TAG: Final = 0x0112
_SHORT: Final = 3
_ENTRY_SIZE: Final = 12
_MAX_ORIENTATION: Final = 8


def orientation_of(tiff: bytes) -> int:
    """Reads Orientation from the first IFD of a TIFF block (EXIF without its `Exif` prefix).

    Returns 1 (upright) for anything missing or malformed: metadata is never a reason to refuse a photo.
    Source: TIFF 6.0, section 2; CIPA DC-008 (EXIF 3.0), section 4.6.5.
    """
    order: Literal["little", "big"]
    if tiff.startswith(b"II*\x00"):
        order = "little"
    elif tiff.startswith(b"MM\x00*"):
        order = "big"
    else:
        return 1
    start = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[start : start + 2], order)
    for index in range(count):
        at = start + 2 + index * _ENTRY_SIZE
        entry = tiff[at : at + _ENTRY_SIZE]
        if len(entry) < _ENTRY_SIZE:
            return 1
        if int.from_bytes(entry[:2], order) != _ORIENTATION_TAG:
            continue
        is_one_short = int.from_bytes(entry[2:4], order) == _SHORT and int.from_bytes(entry[4:8], order) == 1
        value = int.from_bytes(entry[8:10], order)
        return value if is_one_short and 1 <= value <= _MAX_ORIENTATION else 1
    return 1
