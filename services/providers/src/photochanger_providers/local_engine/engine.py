"""The engine: a photo and an edit in, the edited photo out. Synchronous, no network, one thread.

An engine holds its models and is not for use by two threads at once; make one per worker.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import cv2
import numpy as np

from photochanger_providers.local_engine import backgrounds, codec
from photochanger_providers.local_engine.arrays import SURE, Bytes8, Floats
from photochanger_providers.local_engine.bokeh import blurred_background
from photochanger_providers.local_engine.compositing import Background, replace_background
from photochanger_providers.local_engine.errors import InvalidOptions, NoPersonFound
from photochanger_providers.local_engine.faces import Face
from photochanger_providers.local_engine.matting import WORK_SIDE_PX, Matte, make_matte, soft_mask
from photochanger_providers.local_engine.models import load_networks
from photochanger_providers.local_engine.options import (
    BackgroundBlur,
    BackgroundColor,
    BackgroundGradient,
    BackgroundImage,
    BlackAndWhitePortrait,
    Comic,
    Edit,
    GoldenHour,
    Pencil,
    Sticker,
    Watercolor,
)
from photochanger_providers.local_engine.segmentation import PeopleFinder
from photochanger_providers.local_engine.sticker import cut_out
from photochanger_providers.local_engine.styles.comic import ink
from photochanger_providers.local_engine.styles.pencil import draw
from photochanger_providers.local_engine.styles.photographic import black_and_white, golden_hour
from photochanger_providers.local_engine.styles.scene import Scene
from photochanger_providers.local_engine.styles.watercolor import paint
from photochanger_providers.local_engine.tiles import shrunk

_ART_SIDE_PX = 1440
"""Drawn and painted styles are made at this size and enlarged: 12 cm of print at 300 dpi, no camera noise drawn."""


@dataclass(frozen=True, slots=True)
class Edited:
    """An edited photo ready to be stored."""

    content: bytes
    content_type: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What the engine sees in a photo: the working copy, the matte, and the faces in working pixels."""

    work: Bytes8
    matte: Matte
    faces: tuple[Face, ...]


class LocalEngine:
    """Edits photos on this machine.

    `models` is the folder `tools/models/fetch.py` fills. `threads` bounds OpenCV's threads in the whole process.
    """

    def __init__(self, models: Path, *, threads: int = 1) -> None:
        cv2.setNumThreads(threads)
        self._people = PeopleFinder(load_networks(models))

    def edit(self, photo: bytes, edit: Edit, *, template: bytes | None = None) -> Edited:
        """Decodes, edits and encodes: JPEG, or PNG for a sticker. All metadata but the colour profile is gone.

        Raises:
            UnreadablePhoto, UnreadableTemplate: See `codec`.
            InvalidOptions: The edit needs a template and there is none.
            NoPersonFound: A background operation or sticker on a photo without people.
        """
        if edit.needs_template and template is None:
            raise InvalidOptions("template", "must be given: this operation puts a picture behind the people")
        drawn = isinstance(edit, Pencil | Watercolor | Comic)
        decoded = codec.read_photo(photo, enough_px=_ART_SIDE_PX) if drawn else codec.read_photo(photo)
        template_pixels = (
            codec.read_template(template).pixels if template is not None and edit.needs_template else None
        )
        pixels = self.edit_pixels(decoded.pixels, edit, template=template_pixels, drawn_size=decoded.size)
        height, width = pixels.shape[:2]
        if isinstance(edit, Sticker):
            return Edited(codec.write_png(pixels), "image/png", width, height)
        return Edited(codec.write_jpeg(pixels, icc_profile=decoded.icc_profile), "image/jpeg", width, height)

    def edit_pixels(
        self,
        photo: Bytes8,
        edit: Edit,
        *,
        template: Bytes8 | None = None,
        drawn_size: tuple[int, int] | None = None,
    ) -> Bytes8:
        """Edits an upright RGB photo. Takes the array over: it may come back changed in place.

        A sticker comes back as RGBA and smaller; everything else as RGB of the photo's size, a drawn or painted
        style as large as `drawn_size` (width and height) when given. A style without people in sight is laid over
        the whole photo alike.

        Raises:
            InvalidOptions, NoPersonFound: See `edit`.
        """
        match edit:
            case BackgroundColor() | BackgroundGradient() | BackgroundImage() | BackgroundBlur():
                sight = self.see(photo)
                replace_background(photo, sight.matte, _background(sight, edit, template))
                return photo
            case Sticker():
                return cut_out(photo, self.see(photo).matte, edit)
            case Pencil():
                return _enlarged(draw(*self._to_draw(photo), edit), photo, drawn_size)
            case Watercolor():
                return _enlarged(paint(*self._to_draw(photo), edit), photo, drawn_size)
            case Comic():
                return _enlarged(ink(*self._to_draw(photo), edit), photo, drawn_size)
            case BlackAndWhitePortrait():
                black_and_white(photo, self._scene(photo), edit)
                return photo
            case GoldenHour():
                golden_hour(photo, self._scene(photo), edit)
                return photo
            case _:
                raise InvalidOptions("operation", "is not one this engine knows")

    def see(self, photo: Bytes8) -> Sight:
        """Finds the people of an upright RGB photo and makes their matte.

        Raises:
            NoPersonFound: Nobody is there.
        """
        work = _working_copy(photo)
        people = self._people.find(work)
        matte = make_matte(work, people, width=photo.shape[1], height=photo.shape[0])
        return Sight(work, matte, people.faces)

    def _to_draw(self, photo: Bytes8) -> tuple[Bytes8, Scene]:
        """Returns the photo at the size it is drawn at, and what is in it."""
        return _at_most(photo, _ART_SIDE_PX), self._scene(photo)

    def _scene(self, photo: Bytes8) -> Scene:
        work = _working_copy(photo)
        try:
            people = self._people.find(work)
        except NoPersonFound:
            return Scene(np.zeros(work.shape[:2], np.float32), ())
        return Scene(soft_mask(work, people), tuple(face.box for face in people.faces))


def _working_copy(photo: Bytes8) -> Bytes8:
    height, width = photo.shape[:2]
    scale = WORK_SIDE_PX / max(width, height)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    if scale < 1:
        return shrunk(photo, *size)
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _background(
    sight: Sight,
    edit: BackgroundColor | BackgroundGradient | BackgroundImage | BackgroundBlur,
    template: Bytes8 | None,
) -> Background:
    width, height = sight.matte.width, sight.matte.height
    match edit:
        case BackgroundColor():
            return backgrounds.SolidColor(edit.color)
        case BackgroundGradient():
            return backgrounds.gradient(edit, width=width, height=height)
        case BackgroundImage():
            if template is None:
                raise InvalidOptions(
                    "template", "must be given: this operation puts a picture behind the people"
                )
            colour = _people_colour(sight)
            return backgrounds.picture(template, edit, people_colour=colour, width=width, height=height)
        case BackgroundBlur():
            return blurred_background(sight.work, sight.matte, edit.strength)
        case _:
            assert_never(edit)


def _people_colour(sight: Sight) -> Floats:
    inside = (sight.matte.mask > SURE).astype(np.uint8)
    return np.array(cv2.mean(sight.work, mask=inside)[:3], np.float32)


def _at_most(photo: Bytes8, side_px: int) -> Bytes8:
    height, width = photo.shape[:2]
    scale = side_px / max(width, height)
    if scale >= 1:
        return photo
    return shrunk(photo, max(round(width * scale), 1), max(round(height * scale), 1))


def _enlarged(art: Bytes8, photo: Bytes8, size: tuple[int, int] | None) -> Bytes8:
    """Returns a drawing at the photo's size, or the one given."""
    size = size or (photo.shape[1], photo.shape[0])
    if size == (art.shape[1], art.shape[0]):
        return art
    return np.asarray(cv2.resize(art, size, interpolation=cv2.INTER_CUBIC), np.uint8)
