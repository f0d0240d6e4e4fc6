"""The engine with its real models, and real pictures: the portrait, groups made of it, and scenes without anybody."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from photochanger_providers.local_engine import LocalEngine
from photochanger_providers.local_engine.arrays import Bytes8
from photochanger_providers.local_engine.codec import read_photo

ROOT = Path(__file__).resolve().parents[5]


@pytest.fixture(scope="session")
def models() -> Path:
    return ROOT / ".local" / "models"  # filled by tools/models/fetch.py at set-up


@pytest.fixture(scope="session")
def photos() -> Path:
    return ROOT / "tests" / "photos"


@pytest.fixture(scope="session")
def engine(models: Path) -> LocalEngine:
    return LocalEngine(models)


@pytest.fixture(scope="session")
def portrait_file(photos: Path) -> bytes:
    return (photos / "portrait-1536.jpg").read_bytes()


@pytest.fixture(scope="session")
def _portrait(portrait_file: bytes) -> Bytes8:
    return read_photo(portrait_file).pixels


@pytest.fixture
def portrait(_portrait: Bytes8) -> Bytes8:
    return _portrait.copy()  # the engine takes over what it is given


@pytest.fixture
def scenery() -> Bytes8:
    """A sky, a hill and a sun: nobody there."""
    y, x = np.mgrid[0:600, 0:900].astype(np.float32)
    sky = np.dstack([120 + y / 6, 160 + y / 8, 235 - y / 12]).astype(np.float32)
    hill = y > 380 + 60 * np.sin(x / 140)
    sky[hill] = (70, 120, 60)
    picture = np.clip(sky, 0, 255).astype(np.uint8)
    cv2.circle(picture, (720, 120), 50, (255, 230, 150), -1)
    return picture


@pytest.fixture
def group(_portrait: Bytes8) -> Bytes8:
    """Three people side by side in a wide picture: near, mirrored and farther away, further still."""
    canvas = np.full((900, 2000, 3), (150, 160, 165), np.uint8)
    for left, side in ((0, 900), (900, 620), (1520, 440)):
        person = cv2.resize(_portrait, (side, side), interpolation=cv2.INTER_AREA)
        canvas[900 - side :, left : left + side] = person[:, ::-1] if side == 620 else person
    return canvas
