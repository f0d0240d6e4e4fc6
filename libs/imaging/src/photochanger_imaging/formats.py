"""The three picture formats of the platform, told apart by content."""

from enum import StrEnum
from typing import Final, Self

_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


class ImageFormat(StrEnum):
    """A format we take and give. The value is its name in settings and protos."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"

    @property
    def mime(self) -> str:
        """The media type, as in `Content-Type`."""
        return f"image/{self.value}"

    @property
    def extension(self) -> str:
        """The usual file extension, without the dot."""
        return "jpg" if self is ImageFormat.JPEG else self.value

    @classmethod
    def from_mime(cls, mime: str) -> Self | None:
        """Reads a media type as clients send it: any case, with parameters, `image/jpg` and `image/pjpeg`
        included.
        """
        name = mime.partition(";")[0].strip().lower()
        if name in {"image/jpg", "image/pjpeg"}:
            name = "image/jpeg"
        return next((known for known in cls if known.mime == name), None)


def sniff(head: bytes) -> ImageFormat | None:
    """Tells the format by magic bytes; 12 bytes are enough. None: not one of ours, or too short to say."""
    if head.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if head.startswith(_PNG_SIGNATURE):
        return ImageFormat.PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return ImageFormat.WEBP
    return None


def describe_foreign(head: bytes) -> str | None:
    """Names the well-known formats people send by mistake, so that the refusal can say what arrived."""
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}:
        return "a HEIC picture"
    if brand in {b"avif", b"avis"}:
        return "an AVIF picture"
    if brand == b"crx ":
        return "a camera RAW file"
    if brand:
        return "a video"
    by_prefix = {
        b"GIF8": "a GIF picture",
        b"BM": "a BMP picture",
        b"II*\x00": "a TIFF picture or a camera RAW file",
        b"MM\x00*": "a TIFF picture or a camera RAW file",
        b"%PDF": "a PDF document",
        b"PK\x03\x04": "a ZIP archive",
        b"8BPS": "a Photoshop document",
        b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture",
    }
    for prefix, name in by_prefix.items():
        if head.startswith(prefix):
            return name
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return "a text document (SVG, HTML or XML)"
    if text.startswith((b"{", b"[")):
        return "a text document (JSON)"
    return None
