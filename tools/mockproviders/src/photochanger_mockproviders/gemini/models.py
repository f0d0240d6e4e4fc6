"""Which models there are, and which image options each takes (ai.google.dev, November 2026)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# Width and height in pixels at 1K; 2K and 4K are twice and four times that.
SIZES_1K: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "1:1": (1024, 1024),
        "2:3": (848, 1264),
        "3:2": (1264, 848),
        "3:4": (896, 1200),
        "4:3": (1200, 896),
        "4:5": (928, 1152),
        "5:4": (1152, 928),
        "9:16": (768, 1376),
        "16:9": (1376, 768),
        "21:9": (1584, 672),
    }
)
SCALES: Mapping[str, int] = MappingProxyType({"1K": 1, "2K": 2, "4K": 4})


@dataclass(frozen=True, slots=True)
class ImageModel:
    """What one model accepts. Empty `image_sizes` means the option itself is refused."""

    name: str
    image_sizes: frozenset[str] = frozenset()
    max_input_images: int = 14
    aspect_ratios: frozenset[str] = frozenset(SIZES_1K)


_ALL_SIZES = frozenset(SCALES)

MODELS: tuple[ImageModel, ...] = (
    ImageModel("gemini-3-pro-image", image_sizes=_ALL_SIZES),
    ImageModel("gemini-3.1-flash-image", image_sizes=_ALL_SIZES),
    ImageModel("gemini-3.1-flash-lite-image"),
)
"""Models that answer. Any other name, the retired ones included, is a 404."""

RETIRED = frozenset(
    {"gemini-2.5-flash-image", "gemini-2.5-flash-image-preview", "gemini-3-pro-image-preview"}
)
"""Names that used to answer; pass `models=(*MODELS, ImageModel(name))` to bring one back."""


def output_size(aspect_ratio: str, image_size: str, reference: tuple[int, int] | None) -> tuple[int, int]:
    """Width and height of the answer; without an aspect ratio, the nearest to the reference image's."""
    if not aspect_ratio:
        wanted = reference[0] / reference[1] if reference and all(reference) else 1.0
        aspect_ratio = min(SIZES_1K, key=lambda name: abs(SIZES_1K[name][0] / SIZES_1K[name][1] - wanted))
    width, height = SIZES_1K[aspect_ratio]
    scale = SCALES[image_size or "1K"]
    return width * scale, height * scale
