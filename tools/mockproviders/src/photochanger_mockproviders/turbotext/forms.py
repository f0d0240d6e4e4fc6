"""The operations' form fields and their rules (turbotext.ru/photo_ai/docs/info)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

Fields = Mapping[str, str]


class ParamsError(Exception):
    """A field is missing or breaks its rule; the message is for the test's author, never sent."""


@dataclass(frozen=True, slots=True)
class Method:
    """One operation. `photo_field` holds the link whose picture is changed, `fetched` all links."""

    name: str
    required: frozenset[str]
    optional: Mapping[str, Callable[[str], bool]]
    fetched: tuple[str, ...] = ()
    photo_field: str = ""

    @property
    def costs_attempt(self) -> bool:
        """Whether a job spends one of the plan's photo attempts."""
        return bool(self.fetched)

    def check(self, fields: Fields) -> None:
        """Applies the rules.

        Raises:
            ParamsError: The provider would answer `params_error`.
        """
        for name in sorted(self.required):
            if not fields.get(name):
                raise ParamsError(f"{name} is missing")
        for name, allowed in self.optional.items():
            if name in fields and not allowed(fields[name]):
                raise ParamsError(f"{name} is out of its bounds")

    def unknown(self, fields: Fields) -> list[str]:
        """Fields the operation does not have; the provider ignores them, a driver should not send them."""
        return sorted(set(fields) - self.required - set(self.optional) - {"do"})


def _integer(low: int, high: int) -> Callable[[str], bool]:
    return lambda text: text.isascii() and text.isdigit() and low <= int(text) <= high


def _real(low: float, high: float) -> Callable[[str], bool]:
    def allowed(text: str) -> bool:
        try:
            return low <= float(text) <= high
        except ValueError:
            return False

    return allowed


def _words(most: int) -> Callable[[str], bool]:
    return lambda text: len(text.split()) <= most


_ANY: Callable[[str], bool] = bool
_USER = {"user_id": _integer(1, 10**18)}

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method(
                "generate_image2image",
                required=frozenset({"url", "content"}),
                optional={
                    "strength": _integer(0, 80),
                    "seed": _integer(1, 10**10),
                    "scale": _real(0.1, 20),
                    "negative_prompt": _words(80),
                    "original_language": _ANY,
                    **_USER,
                },
                fetched=("url",),
                photo_field="url",
            ),
            Method(
                "mix_images",
                required=frozenset({"url", "url_image_target"}),
                optional={"content": lambda _text: True, **_USER},
                fetched=("url", "url_image_target"),
                photo_field="url_image_target",
            ),
            # The two links mean the opposite of what they mean for mix_images.
            Method(
                "deepfake_photo",
                required=frozenset({"url", "url_image_target"}),
                optional={"face_restore": lambda text: text in {"True", "False"}, **_USER},
                fetched=("url", "url_image_target"),
                photo_field="url",
            ),
            Method("available_api", required=frozenset(), optional=_USER),
        )
    }
)
