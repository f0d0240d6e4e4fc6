"""ICC colour profiles without their words.

A profile may carry any text: camera names, serial numbers, scripts. What decides colour in a photograph's
profile is small: three primaries (or one grey curve), their tone curves, the white point. Such a "matrix/TRC"
profile is rebuilt from exactly these tags with a fixed header and description. Profiles made of lookup tables
(printers, CMYK) are not rebuilt: tables have room for anything; `make_upright` converts those pictures to
sRGB instead.

Source: ICC.1:2022 (profile version 4.4), sections 7, 8.3, 9 and 10; ICC.1:2001-04 for version 2.
"""

import struct
from dataclasses import dataclass
from typing import Final

MAX_PROFILE_BYTES: Final = 1 << 20

_HEADER_BYTES: Final = 128
_TAG_ENTRY_BYTES: Final = 12
_MAX_TAGS: Final = 100
_SIGNATURE: Final = b"acsp"
_GREY_CHANNELS: Final = 1
_COLOR_CHANNELS: Final = 3
_VERSIONS: Final = frozenset({2, 4})
_PARAMETRIC_COUNTS: Final = (1, 3, 4, 5, 7)
_TABLE_TAGS: Final = ("A2B", "D2B")
"""Where these are, they decide, and the matrix is only for programs that cannot read them."""
_PCS_ILLUMINANT: Final = struct.pack(">3i", 63190, 65536, 54061)
"""D50 as s15Fixed16, the only value allowed."""
_DATE: Final = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
_NAME: Final = "Color profile"
_RIGHTS: Final = "Public domain"


@dataclass(frozen=True, slots=True)
class ProfileOutcome:
    """What became of an embedded profile."""

    found: bool = False
    original: bytes | None = None
    """As embedded, when it could be put together. Hostile input: for colour conversion only, never to be
    stored.
    """
    cleaned: bytes | None = None
    """As kept in the output; None when it had to go."""

    @property
    def dropped(self) -> bool:
        """The picture had a profile and now has none: its colours may be read differently."""
        return self.found and self.cleaned is None


def clean_profile(profile: bytes, *, channels: int) -> bytes | None:
    """Rebuilds a matrix/TRC profile from its colour tags alone. None: not sane, or of a kind that cannot be
    rebuilt.

    `channels` is the picture's number of colour channels without alpha; the profile has to be for as many.
    """
    if not _HEADER_BYTES + 4 <= len(profile) <= MAX_PROFILE_BYTES:
        return None
    wanted_space = {_GREY_CHANNELS: b"GRAY", _COLOR_CHANNELS: b"RGB "}.get(channels)
    header_is_sane = (
        int.from_bytes(profile[:4], "big") == len(profile)
        and profile[36:40] == _SIGNATURE
        and profile[8] in _VERSIONS
        and profile[16:20] == wanted_space
        and profile[20:24] == b"XYZ "
    )
    tags = _tags(profile) if header_is_sane else None
    if tags is None or any(name.startswith(_TABLE_TAGS) for name in tags):
        return None
    curves = ("kTRC",) if channels == _GREY_CHANNELS else ("rTRC", "gTRC", "bTRC")
    colorants = () if channels == _GREY_CHANNELS else ("rXYZ", "gXYZ", "bXYZ")
    kept: dict[str, bytes] = {}
    for name in (*colorants, *curves, "wtpt"):
        data = _clean_tag(tags.get(name, b""))
        if data is None or (data[:4] == b"XYZ ") != (name not in curves):
            return None
        kept[name] = data
    adaptation = tags.get("chad", b"")
    if adaptation[:4] == b"sf32" and len(adaptation) >= 44:  # noqa: PLR2004 (3 x 3 matrix behind 8 bytes)
        kept["chad"] = b"sf32\x00\x00\x00\x00" + adaptation[8:44]
    return _build(profile, kept)


def _tags(profile: bytes) -> dict[str, bytes] | None:
    count = int.from_bytes(profile[_HEADER_BYTES : _HEADER_BYTES + 4], "big")
    if count > _MAX_TAGS or _HEADER_BYTES + 4 + count * _TAG_ENTRY_BYTES > len(profile):
        return None
    tags: dict[str, bytes] = {}
    for index in range(count):
        name, offset, size = struct.unpack_from(
            ">4sII", profile, _HEADER_BYTES + 4 + index * _TAG_ENTRY_BYTES
        )
        if offset + size > len(profile):
            return None
        tags.setdefault(name.decode("latin-1"), profile[offset : offset + size])
    return tags


def _clean_tag(data: bytes) -> bytes | None:
    """The exact bytes its type needs, reserved fields zeroed. None for other types or too little data."""
    kind, rest = data[:4], data[8:]
    match kind:
        case b"XYZ ":
            size = 12
        case b"curv":
            size = 4 + 2 * int.from_bytes(rest[:4], "big")
        case b"para":
            function = int.from_bytes(rest[:2], "big")
            if function >= len(_PARAMETRIC_COUNTS):
                return None
            size = 4 + 4 * _PARAMETRIC_COUNTS[function]
            rest = rest[:2] + b"\x00\x00" + rest[4:]
        case _:
            return None
    if len(rest) < size:
        return None
    return kind + b"\x00\x00\x00\x00" + rest[:size]


def _build(profile: bytes, kept: dict[str, bytes]) -> bytes:
    major = profile[8]
    tags = {"desc": _description(major), "cprt": _copyright(major), **kept}
    offset = _HEADER_BYTES + 4 + len(tags) * _TAG_ENTRY_BYTES
    table = bytearray(len(tags).to_bytes(4, "big"))
    blocks = bytearray()
    placed: dict[bytes, int] = {}
    for name, data in tags.items():
        if data not in placed:  # equal curves are stored once, as profiles usually do
            placed[data] = offset + len(blocks)
            blocks += data + b"\x00" * (-len(data) % 4)
        table += struct.pack(">4sII", name.encode("latin-1"), placed[data], len(data))
    header = struct.pack(
        ">I4x4s4s4s4s12s4s24xI12s48x",
        offset + len(blocks),
        profile[8:10] + b"\x00\x00",
        b"mntr",
        profile[16:20],
        profile[20:24],
        _DATE,
        _SIGNATURE,
        int.from_bytes(profile[64:68], "big") & 3,
        _PCS_ILLUMINANT,
    )
    return bytes(header + table + blocks)


def _description(major: int) -> bytes:
    if major >= 4:  # noqa: PLR2004 (ICC version)
        return _localized(_NAME)
    text = _NAME.encode() + b"\x00"
    return b"desc\x00\x00\x00\x00" + len(text).to_bytes(4, "big") + text + bytes(4 + 4 + 2 + 1 + 67)


def _copyright(major: int) -> bytes:
    if major >= 4:  # noqa: PLR2004 (ICC version)
        return _localized(_RIGHTS)
    return b"text\x00\x00\x00\x00" + _RIGHTS.encode() + b"\x00"


def _localized(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc\x00\x00\x00\x00" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded
