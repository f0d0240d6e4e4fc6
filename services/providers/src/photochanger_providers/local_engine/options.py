"""What the engine can be asked to do: one frozen class of options per operation.

Each field carries its rule, and the rule is the single source of both the check on construction and
the JSON Schema (`schemas.py`), so that a form never offers what the engine refuses.
"""

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from typing import ClassVar, Protocol

from photochanger_providers.local_engine.errors import InvalidOptions

_HEX_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


class Operation(StrEnum):
    """Names of the operations, as slots store them."""

    BACKGROUND_COLOR = "background_color"
    BACKGROUND_GRADIENT = "background_gradient"
    BACKGROUND_IMAGE = "background_image"
    BACKGROUND_BLUR = "background_blur"
    STICKER = "sticker"
    PENCIL = "pencil"
    WATERCOLOR = "watercolor"
    COMIC = "comic"
    BLACK_AND_WHITE_PORTRAIT = "black_and_white_portrait"
    GOLDEN_HOUR = "golden_hour"


class Rule(Protocol):
    """What values a field takes."""

    @property
    def title(self) -> str:
        """The field's name in a form."""
        ...

    @property
    def description(self) -> str:
        """What the field does, in a sentence."""
        ...

    def problem(self, value: object) -> str | None:
        """Returns what is wrong with the value, to follow the field's name, or None."""
        ...

    def schema(self) -> dict[str, object]:
        """Returns the rule as JSON Schema keywords."""
        ...


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """An integer between two bounds, both allowed."""

    title: str
    description: str
    least: int
    most: int

    def problem(self, value: object) -> str | None:
        """Returns what is wrong with the value, or None."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            return f"must be a whole number from {self.least} to {self.most}"
        return None

    def schema(self) -> dict[str, object]:
        """Returns the rule as JSON Schema keywords."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class HexColor:
    """A colour as `#RRGGBB`, or an empty string where `optional`."""

    title: str
    description: str
    optional: bool = False

    def problem(self, value: object) -> str | None:
        """Returns what is wrong with the value, or None."""
        if isinstance(value, str) and (_HEX_COLOR.fullmatch(value) or (self.optional and not value)):
            return None
        return "must be a colour written as #RRGGBB" + (" or empty" if self.optional else "")

    def schema(self) -> dict[str, object]:
        """Returns the rule as JSON Schema keywords."""
        if self.optional:
            return {"type": "string", "pattern": f"^({_HEX_COLOR.pattern})?$"}
        return {"type": "string", "format": "color", "pattern": f"^{_HEX_COLOR.pattern}$"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    title: str
    description: str
    words: tuple[str, ...]

    def problem(self, value: object) -> str | None:
        """Returns what is wrong with the value, or None."""
        return None if value in self.words else f"must be one of {', '.join(self.words)}"

    def schema(self) -> dict[str, object]:
        """Returns the rule as JSON Schema keywords."""
        return {"type": "string", "enum": list(self.words)}


def rule_of(option: Field[object]) -> Rule:
    """Returns the rule a field was declared with."""
    rule: Rule = option.metadata["rule"]
    return rule


def _percent(default: int, title: str, description: str) -> int:
    return _ruled(default, WholeNumber(title, description, 0, 100))


def _ruled(default: int, rule: Rule) -> int:
    value: int = field(default=default, metadata={"rule": rule})
    return value


def _worded(default: str, rule: Rule) -> str:
    value: str = field(default=default, metadata={"rule": rule})
    return value


@dataclass(frozen=True, slots=True)
class Edit:
    """Base of every operation's options. Construction checks each field and raises `InvalidOptions`."""

    operation: ClassVar[Operation]
    title: ClassVar[str]
    summary: ClassVar[str]
    needs_template: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Checks every field against its rule."""
        for option in fields(self):
            problem = rule_of(option).problem(getattr(self, option.name))
            if problem is not None:
                raise InvalidOptions(option.name, problem)


@dataclass(frozen=True, slots=True)
class BackgroundColor(Edit):
    """One even colour behind the people."""

    operation = Operation.BACKGROUND_COLOR
    title = "Background colour"
    summary = "Puts one even colour behind the people."

    color: str = _worded("#E9E4DA", HexColor("Colour", "Colour of the new background."))


@dataclass(frozen=True, slots=True)
class BackgroundGradient(Edit):
    """A smooth gradient of two or three colours behind the people."""

    operation = Operation.BACKGROUND_GRADIENT
    title = "Background gradient"
    summary = "Puts a smooth gradient of two or three colours behind the people, like a studio backdrop."

    shape: str = _worded(
        "radial", Choice("Shape", "Straight across, or round from the middle.", ("linear", "radial"))
    )
    color_from: str = _worded(
        "#8FB3C9", HexColor("First colour", "Where the gradient begins: top, or the middle.")
    )
    color_middle: str = _worded(
        "", HexColor("Middle colour", "Halfway; leave empty for two colours.", optional=True)
    )
    color_to: str = _worded(
        "#1F3A52", HexColor("Last colour", "Where the gradient ends: bottom, or the corners.")
    )
    angle: int = _ruled(
        0,
        WholeNumber(
            "Angle", "Degrees a linear gradient is turned clockwise; 0 runs from top to bottom.", 0, 359
        ),
    )
    vignette: int = _percent(20, "Vignette", "How much the corners darken, in percent.")


@dataclass(frozen=True, slots=True)
class BackgroundImage(Edit):
    """A template picture behind the people, filling the frame."""

    operation = Operation.BACKGROUND_IMAGE
    title = "Background picture"
    summary = "Puts a template picture behind the people. It is scaled to fill the frame and cut evenly."
    needs_template = True

    blur: int = _percent(10, "Blur", "How far out of focus the picture is, in percent.")
    match_light: int = _percent(
        40,
        "Match light",
        "How far the picture's brightness and warmth move towards the people's, in percent.",
    )


@dataclass(frozen=True, slots=True)
class BackgroundBlur(Edit):
    """The background out of focus, as with a fast lens."""

    operation = Operation.BACKGROUND_BLUR
    title = "Background blur"
    summary = "Throws the background out of focus as a fast portrait lens does; the people stay sharp."

    strength: int = _percent(55, "Strength", "How far out of focus, in percent.")


@dataclass(frozen=True, slots=True)
class Sticker(Edit):
    """The people cut out with an outline, on transparency."""

    operation = Operation.STICKER
    title = "Sticker"
    summary = "Cuts the people out with an outline around them; a PNG with a transparent background."

    outline: int = _percent(40, "Outline", "Width of the outline in percent of the widest; 0 for none.")
    outline_color: str = _worded("#FFFFFF", HexColor("Outline colour", "Colour of the outline."))
    longest_side: int = _ruled(
        2000,
        WholeNumber(
            "Longest side", "The sticker is made smaller when it is longer than this, px.", 256, 4096
        ),
    )


@dataclass(frozen=True, slots=True)
class Pencil(Edit):
    """A pencil drawing on paper."""

    operation = Operation.PENCIL
    title = "Pencil drawing"
    summary = "Redraws the photo in graphite on paper; the surroundings are only hinted at."

    strength: int = _percent(60, "Strength", "How dark the pencil is, in percent.")
    color: int = _percent(
        0, "Colour", "0 is graphite; more lets the photo's colours through as coloured pencils."
    )


@dataclass(frozen=True, slots=True)
class Watercolor(Edit):
    """A watercolour painting on grained paper."""

    operation = Operation.WATERCOLOR
    title = "Watercolour"
    summary = "Repaints the photo in watercolour on grained paper; faces keep their detail."

    strength: int = _percent(65, "Strength", "How far the photo turns into paint, in percent.")


@dataclass(frozen=True, slots=True)
class Comic(Edit):
    """A printed comic: ink lines, flat colours, dots behind."""

    operation = Operation.COMIC
    title = "Comic"
    summary = "Turns the photo into a printed comic: ink lines, flat colours, dots in the background."

    strength: int = _percent(60, "Strength", "How much ink and how flat the colours, in percent.")


@dataclass(frozen=True, slots=True)
class BlackAndWhitePortrait(Edit):
    """A black-and-white studio portrait."""

    operation = Operation.BLACK_AND_WHITE_PORTRAIT
    title = "Black-and-white portrait"
    summary = "A classic black-and-white portrait: full tones, a calm darker background, fine grain."

    strength: int = _percent(60, "Strength", "How contrasty, and how dark the background, in percent.")


@dataclass(frozen=True, slots=True)
class GoldenHour(Edit):
    """The light of a low sun."""

    operation = Operation.GOLDEN_HOUR
    title = "Golden hour"
    summary = "Bathes the photo in the warm light of a low sun; skin tones stay natural."

    strength: int = _percent(60, "Strength", "How warm and how glowing, in percent.")
    sun: str = _worded("right", Choice("Sun", "The side the light comes from.", ("left", "right")))


EDITS: Mapping[Operation, type[Edit]] = {
    edit.operation: edit
    for edit in (
        BackgroundColor,
        BackgroundGradient,
        BackgroundImage,
        BackgroundBlur,
        Sticker,
        Pencil,
        Watercolor,
        Comic,
        BlackAndWhitePortrait,
        GoldenHour,
    )
}
"""Every operation's class of options."""


def parse_edit(operation: str, values: Mapping[str, object]) -> Edit:
    """Returns the options of `operation` from a slot's settings; absent ones take their defaults.

    Raises:
        InvalidOptions: The operation or a field is unknown, or a value is out of bounds.
    """
    try:
        kind = EDITS[Operation(operation)]
    except ValueError as error:
        raise InvalidOptions("operation", f"must be one of {', '.join(Operation)}") from error
    known = {option.name for option in fields(kind)}
    for name in values:
        if name not in known:
            raise InvalidOptions(name, f"is unknown to {operation}")
    return kind(**values)


def rgb(color: str) -> tuple[int, int, int]:
    """Returns a `#RRGGBB` colour as red, green and blue, 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
