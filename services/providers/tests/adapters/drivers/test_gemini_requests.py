"""What the Gemini driver sends, as the mock took it apart, and what it refuses to send."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import structlog
from photochanger_mockproviders import GeminiKnob, GeminiMock
from photochanger_providers.application.settings_schema import checked_settings
from photochanger_providers.domain.catalogue import JsonValue
from photochanger_providers.domain.errors import InvalidSettings, ProviderError
from photochanger_providers.domain.picture import Picture, Template
from photochanger_providers.drivers import gemini
from photochanger_providers.testing.driver_bench import DriverBench, picture_at
from PIL import Image

MakePicture = Callable[..., Picture]


def _digest(picture: Picture) -> str:
    return hashlib.sha256(picture.path.read_bytes()).hexdigest()


async def test_the_photo_goes_first_then_the_templates_in_order_then_the_words(
    bench: DriverBench, gemini_mock: GeminiMock, photo: Picture, make_picture: MakePicture
) -> None:
    style = make_picture("style.png", colour="orange")
    other = make_picture("other.webp", colour="purple")
    await bench.run(
        "style_transfer",
        photo,
        {"prompt": 'Paint {{name|a guest}} "so" \n in {{city|the snow}}: ёж 🦔'},
        templates=[Template("style", style), Template("style", other)],
        fields={"name": 'Zoë "},{"text":"boo'},
    )
    request = gemini_mock.calls[0].request
    assert request.part_kinds == ("image", "image", "image", "text")
    assert [image.sha256 for image in request.images] == [_digest(photo), _digest(style), _digest(other)]
    assert [image.mime_type for image in request.images] == ["image/jpeg", "image/png", "image/webp"]
    assert request.prompt == 'Paint Zoë "},{"text":"boo "so" \n in the snow: ёж 🦔'
    assert request.generation_config == {"responseModalities": ["IMAGE"]}
    assert request.safety_settings == ()


async def test_the_slots_options_are_sent_in_googles_words(
    bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    options: dict[str, JsonValue] = {
        "prompt": "snow",
        "model": "gemini-3-pro-image",
        "aspect_ratio": "3:2",
        "image_size": "2K",
        "response": "text_and_image",
        "safety_dangerous_content": "BLOCK_ONLY_HIGH",
        "safety_harassment": "OFF",
    }
    answer = await bench.run("image_edit", photo, options)
    call = gemini_mock.calls[0]
    assert (call.model, answer.model) == ("gemini-3-pro-image", "gemini-3-pro-image")
    assert (call.request.aspect_ratio, call.request.image_size) == ("3:2", "2K")
    assert call.request.modalities == ("TEXT", "IMAGE")
    assert set(call.request.safety_settings) == {
        ("HARM_CATEGORY_DANGEROUS_CONTENT", "BLOCK_ONLY_HIGH"),
        ("HARM_CATEGORY_HARASSMENT", "OFF"),
    }
    assert (answer.picture.width_px, answer.picture.height_px) == (2528, 1696)


@pytest.mark.parametrize("size", [1, 2, 3, 3 * 128 * 1024 - 1, 3 * 128 * 1024, 3 * 128 * 1024 + 1])
async def test_the_declared_length_is_that_of_the_body_whatever_the_size(size: int, tmp_path: Path) -> None:
    path = tmp_path / "any.jpg"
    path.write_bytes(os.urandom(size))
    result = tmp_path / "result.png"
    Image.radial_gradient("L").save(result)
    async with GeminiMock(fast=True, result=result.read_bytes()) as mock:
        async with DriverBench(
            gemini.DRIVER, base_url=mock.base_url, api_key=mock.api_key or "", directory=tmp_path
        ) as bench:
            await bench.run("image_edit", Picture(path, "image/jpeg", size, 1, 1), {"prompt": "snow"})
        assert mock.calls[0].status == 200
        assert mock.calls[0].body_bytes > (size + 2) // 3 * 4


async def test_pictures_that_are_too_many_bytes_are_made_smaller_the_largest_first(
    bench: DriverBench, gemini_mock: GeminiMock, tmp_path: Path, make_picture: MakePicture
) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (2200, 3000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "large.png", compress_level=0)
    large, small = picture_at(tmp_path / "large.png"), make_picture("style.png")
    assert large.size_bytes * 4 // 3 > gemini.MOST_BODY_BYTES
    await bench.run("style_transfer", large, {"prompt": "snow"}, templates=[Template("style", small)])
    photo, style = gemini_mock.calls[0].request.images
    assert style.sha256 == _digest(small)
    assert gemini.MOST_BODY_BYTES // 2 < gemini_mock.calls[0].body_bytes <= gemini.MOST_BODY_BYTES
    assert photo.mime_type == photo.actual.mime_type == "image/jpeg"
    assert photo.actual.width_px / photo.actual.height_px == pytest.approx(3000 / 2200, rel=0.01)


async def test_the_slot_can_ask_for_smaller_pictures(
    bench: DriverBench, gemini_mock: GeminiMock, make_picture: MakePicture
) -> None:
    photo, style = make_picture(width=900, height=600), make_picture("style.png", width=200, height=100)
    settings: dict[str, JsonValue] = {"prompt": "snow", "max_input_side_px": 300}
    await bench.run("style_transfer", photo, settings, templates=[Template("style", style)])
    sent = [(image.actual.width_px, image.actual.height_px) for image in gemini_mock.calls[0].request.images]
    assert sent == [(300, 200), (200, 100)]


async def test_a_prompt_that_is_empty_without_the_booths_fields_is_not_sent(
    bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    with pytest.raises(ProviderError) as caught:
        await bench.run("image_edit", photo, {"prompt": "{{wish}}"})
    assert (caught.value.reason, caught.value.provider_calls, gemini_mock.calls) == ("CONFIG", 0, [])


def test_an_option_the_model_does_not_have_is_refused_with_the_settings() -> None:
    operation = gemini.DRIVER.info.operations[0]
    sizes: dict[str, JsonValue] = {"prompt": "snow", "image_size": "2K"}
    checked_settings(operation, sizes, [])
    checked_settings(operation, {**sizes, "model": "gemini-9-of-next-year"}, [])
    with pytest.raises(InvalidSettings) as caught:
        checked_settings(operation, {**sizes, "model": "gemini-3.1-flash-lite-image"}, [])
    assert [each.field for each in caught.value.field_violations] == ["settings.image_size"]


@pytest.mark.parametrize("model", ["", "../files", "a/b", "a?key=1", "a b", "модель"])
def test_a_model_that_would_change_the_address_is_refused(model: str) -> None:
    with pytest.raises(InvalidSettings):
        checked_settings(gemini.DRIVER.info.operations[0], {"prompt": "snow", "model": model}, [])


@pytest.mark.parametrize("knob", [GeminiKnob.OK_PNG, GeminiKnob.TEXT_ONLY_STOP, GeminiKnob.HTTP_403])
async def test_neither_key_nor_prompt_nor_picture_is_logged(
    knob: GeminiKnob, bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    gemini_mock.by_default(knob)
    with structlog.testing.capture_logs() as lines:
        try:
            await bench.run("image_edit", photo, {"prompt": "for {{name}}"}, fields={"name": "Ekaterina"})
        except ProviderError as error:
            told = f"{error.message} {error.metadata}"
        else:
            told = ""
    logged = f"{lines} {told}"
    assert "mock-" in logged or "http_status" in logged  # ids and statuses are
    for secret in (gemini_mock.api_key or "", "Ekaterina", "I would rather", "iVBOR"):
        assert secret not in logged
