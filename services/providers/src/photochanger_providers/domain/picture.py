"""Pictures on this machine's disk, as drivers get and give them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MimeType = Literal["image/jpeg", "image/png", "image/webp"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A decodable picture in a temporary file: upright and without metadata. Sizes in bytes and pixels."""

    path: Path
    mime_type: MimeType
    size_bytes: int
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Template:
    """A slot's own image, and what it is for (a `TemplateRole.id`)."""

    role: str
    picture: Picture
