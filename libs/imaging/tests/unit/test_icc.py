"""Rebuilding colour profiles: the colours stay, the words go."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photochanger_imaging._icc import MAX_PROFILE_BYTES, clean_profile
from photochanger_imaging.testing import builders as build
from PIL import Image, ImageChops, ImageCms

PROFILE = build.srgb_profile()
PARA = b"para\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x33\x33"


def as_srgb(profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    result = ImageCms.profileToProfile(build.a_picture(), source, ImageCms.createProfile("sRGB"))
    assert result is not None
    return result


def with_gamma(profile: bytes) -> bytes:
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        profile = build.with_profile_tag(profile, name, PARA)
    return profile


@pytest.mark.parametrize("profile", [PROFILE, with_gamma(PROFILE)], ids=["srgb", "gamma 2.2"])
def test_a_rebuilt_profile_means_the_same_colours(profile: bytes) -> None:
    cleaned = clean_profile(profile, channels=3)
    assert cleaned is not None
    assert build.MARKER not in cleaned
    assert ImageChops.difference(as_srgb(cleaned), as_srgb(profile)).getbbox() is None
    assert clean_profile(cleaned, channels=3) == cleaned


def test_only_tags_of_colour_are_left() -> None:
    noisy = build.with_profile_tag(PROFILE, b"priv", build.MARKER)
    cleaned = clean_profile(noisy, channels=3)
    assert cleaned is not None
    count = int.from_bytes(cleaned[128:132], "big")
    names = {cleaned[132 + 12 * index : 136 + 12 * index] for index in range(count)}
    assert names <= {
        b"desc",
        b"cprt",
        b"wtpt",
        b"chad",
        *(c + k for c in (b"r", b"g", b"b") for k in (b"XYZ", b"TRC")),
    }


@pytest.mark.parametrize(
    ("profile", "channels"),
    [
        pytest.param(PROFILE, 4, id="for other channels"),
        pytest.param(PROFILE, 1, id="colour for grey"),
        pytest.param(PROFILE[:-1], 3, id="one byte short"),
        pytest.param(PROFILE.replace(b"acsp", b"acsq"), 3, id="no signature"),
        pytest.param(b"", 3, id="empty"),
        pytest.param(bytes(MAX_PROFILE_BYTES + 1), 3, id="too large"),
        pytest.param(build.with_profile_tag(PROFILE, b"rTRC", b"curv"), 3, id="cut curve"),
        pytest.param(build.with_profile_tag(PROFILE, b"rXYZ", PARA), 3, id="curve for a primary"),
        pytest.param(build.with_profile_tag(PROFILE, b"A2B0", b"mft2" + bytes(400)), 3, id="with a table"),
    ],
)
def test_what_is_not_a_sane_matrix_profile_goes(profile: bytes, channels: int) -> None:
    assert clean_profile(profile, channels=channels) is None


@given(st.lists(st.tuples(st.integers(0, len(PROFILE) - 1), st.integers(0, 255)), max_size=8))
@settings(deadline=None)
def test_a_damaged_profile_is_rebuilt_or_dropped_but_never_a_crash(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(PROFILE)
    for at, value in changes:
        damaged[at] = value
    cleaned = clean_profile(bytes(damaged), channels=3)
    assert cleaned is None or len(cleaned) == int.from_bytes(cleaned[:4], "big")
