"""Files in, files out: formats, orientation, metadata, refusals, repeatability."""

import io
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from photochanger_providers.local_engine import (
    EDITS,
    InvalidOptions,
    LocalEngine,
    ModelsMissing,
    Operation,
    UnreadablePhoto,
    UnreadableTemplate,
    parse_edit,
)
from photochanger_providers.local_engine.arrays import Bytes8
from photochanger_providers.local_engine.codec import read_photo
from PIL import ExifTags, Image, ImageCms


def as_file(pixels: Bytes8, extension: str) -> bytes:
    return cv2.imencode(extension, pixels[..., ::-1])[1].tobytes()


@pytest.mark.parametrize("name", ["portrait-1536.jpg", "portrait-512.png", "portrait-1024.webp"])
def test_each_photo_format_is_read_and_answered_as_jpeg(engine: LocalEngine, photos: Path, name: str) -> None:
    edited = engine.edit((photos / name).read_bytes(), parse_edit("background_color", {}))
    with Image.open(io.BytesIO(edited.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (edited.width_px, edited.height_px))
    assert edited.content_type == "image/jpeg"


def test_a_camera_file_comes_out_upright_and_without_its_position(engine: LocalEngine, photos: Path) -> None:
    content = (photos / "portrait-dslr-16mp.jpg").read_bytes()
    edited = engine.edit(content, parse_edit("background_gradient", {}))
    with Image.open(io.BytesIO(edited.content)) as picture:
        assert not picture.getexif()
    (face,) = engine.see(read_photo(edited.content).pixels).faces
    assert face.box.top < 400  # the head is at the top of the 1024 px the engine looks at


@pytest.mark.parametrize("operation", ["pencil", "watercolor", "comic", "golden_hour"])
@pytest.mark.parametrize(("orientation", "size"), [(1, (3001, 2251)), (3, (3001, 2251)), (6, (2251, 3001))])
def test_a_large_photo_keeps_its_size_and_comes_out_upright(
    engine: LocalEngine, portrait: Bytes8, operation: str, orientation: int, size: tuple[int, int]
) -> None:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(cv2.resize(portrait, (3001, 2251))).save(buffer, "JPEG", exif=exif)
    edited = engine.edit(buffer.getvalue(), parse_edit(operation, {}))
    assert size == (edited.width_px, edited.height_px)
    before, after = read_photo(buffer.getvalue()).pixels, read_photo(edited.content).pixels
    assert before.shape == after.shape
    one, other = (np.float32(cv2.resize(picture, (40, 40))).ravel() for picture in (before, after))
    assert float(np.corrcoef(one, other)[0, 1]) > 0.6


@pytest.mark.parametrize(("enough", "size"), [(1440, (1501, 1126)), (700, (751, 563)), (1501, (3001, 2251))])
def test_a_jpeg_is_decoded_no_smaller_than_enough(
    portrait: Bytes8, enough: int, size: tuple[int, int]
) -> None:
    content = as_file(np.asarray(cv2.resize(portrait, (3001, 2251)), np.uint8), ".jpg")
    decoded = read_photo(content, enough_px=enough)
    assert decoded.size == (3001, 2251)
    assert (decoded.pixels.shape[1], decoded.pixels.shape[0]) == size
    whole = read_photo(content).pixels
    colours = decoded.pixels.mean(axis=(0, 1)) - whole.mean(axis=(0, 1))
    assert np.abs(colours).max() < 1  # the channels are where they belong


@pytest.mark.parametrize("operation", list(Operation))
def test_a_grey_photo_is_edited_as_any_other(
    engine: LocalEngine, portrait: Bytes8, operation: Operation
) -> None:
    buffer = io.BytesIO()
    Image.fromarray(portrait).convert("L").save(buffer, "JPEG", icc_profile=b"a profile of one channel")
    edited = engine.edit(buffer.getvalue(), parse_edit(operation, {}), template=as_file(portrait, ".png"))
    with Image.open(io.BytesIO(edited.content)) as picture:
        assert picture.mode == ("RGBA" if operation is Operation.STICKER else "RGB")
        assert "icc_profile" not in picture.info


def test_a_sticker_is_a_png_with_alpha(engine: LocalEngine, portrait_file: bytes) -> None:
    edited = engine.edit(portrait_file, parse_edit("sticker", {"longest_side": 400}))
    assert edited.content_type == "image/png"
    with Image.open(io.BytesIO(edited.content)) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGBA")


def test_the_colour_profile_of_the_photo_travels_with_the_result(
    engine: LocalEngine, portrait: Bytes8
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    buffer = io.BytesIO()
    Image.fromarray(portrait[::2, ::2]).save(buffer, "JPEG", icc_profile=profile)
    edited = engine.edit(buffer.getvalue(), parse_edit("golden_hour", {}))
    with Image.open(io.BytesIO(edited.content)) as picture:
        assert picture.info["icc_profile"] == profile


@pytest.mark.parametrize("operation", list(Operation))
def test_the_same_photo_gives_the_same_bytes(engine: LocalEngine, photos: Path, operation: Operation) -> None:
    photo = (photos / "portrait-512.png").read_bytes()
    results = {engine.edit(photo, parse_edit(operation, {}), template=photo).content for _ in range(2)}
    assert len(results) == 1


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"\xff\xd8\xff\xe0garbage", b"GIF89a" + bytes(50)]
)
def test_what_is_no_photo_is_refused(engine: LocalEngine, content: bytes) -> None:
    with pytest.raises(UnreadablePhoto):
        engine.edit(content, parse_edit("pencil", {}))


def test_a_photo_of_a_few_pixels_is_refused(engine: LocalEngine) -> None:
    with pytest.raises(UnreadablePhoto, match="at least 32 px"):
        engine.edit(as_file(np.zeros((8, 8, 3), np.uint8), ".png"), parse_edit("pencil", {}))


def test_a_picture_bomb_is_refused_before_it_is_decoded(engine: LocalEngine) -> None:
    buffer = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(buffer, "PNG")
    with pytest.raises(UnreadablePhoto, match="at most 100 MP"):
        engine.edit(buffer.getvalue(), parse_edit("pencil", {}))


def test_a_background_picture_needs_a_readable_template(engine: LocalEngine, portrait_file: bytes) -> None:
    with pytest.raises(InvalidOptions, match="template"):
        engine.edit(portrait_file, parse_edit("background_image", {}))
    with pytest.raises(UnreadableTemplate):
        engine.edit(portrait_file, parse_edit("background_image", {}), template=b"nothing")


def test_a_transparent_photo_is_laid_on_white(engine: LocalEngine) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(buffer, "PNG")
    assert np.array_equal(np.unique(read_photo(buffer.getvalue()).pixels), [255])


def test_missing_or_foreign_models_are_named(models: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelsMissing, match=r"selfie_segmentation\.tflite cannot be read"):
        LocalEngine(tmp_path)
    for file in models.glob("*.tflite"):
        shutil.copy(file, tmp_path / file.name)
    (tmp_path / "face_detection_short_range.tflite").write_bytes(b"something else")
    with pytest.raises(ModelsMissing, match=r"face_detection_short_range\.tflite is not the expected file"):
        LocalEngine(tmp_path)


def test_every_operation_has_its_options() -> None:
    assert set(EDITS) == set(Operation)
