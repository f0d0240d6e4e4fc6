"""Makes copies of one photo differ in their bytes but not in their picture.

The platform answers the same file sent to the same slot with the earlier result; a load of one photo repeated
would measure that, not the work.
"""

from __future__ import annotations

import struct
import zlib

_PNG_AFTER_HEADER = 33  # signature 8, IHDR chunk 25


def mark(photo: bytes, text: str) -> bytes:
    """The photo with `text` (ASCII) as a comment its format allows; unknown formats come back as they are."""
    note = text.encode("ascii")
    if photo.startswith(b"\xff\xd8"):
        # A COM segment behind the start marker.
        return photo[:2] + b"\xff\xfe" + struct.pack(">H", len(note) + 2) + note + photo[2:]
    if photo.startswith(b"\x89PNG"):
        content = b"tEXt" + b"Comment\0" + note
        chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
        return photo[:_PNG_AFTER_HEADER] + chunk + photo[_PNG_AFTER_HEADER:]
    if photo.startswith(b"RIFF") and photo[8:12] == b"WEBP":
        # A chunk readers do not know and skip, padded to even length as RIFF wants.
        chunk = b"NOTE" + struct.pack("<I", len(note)) + note + b"\0" * (len(note) % 2)
        size = struct.unpack("<I", photo[4:8])[0] + len(chunk)
        return photo[:4] + struct.pack("<I", size) + photo[8:] + chunk
    return photo
