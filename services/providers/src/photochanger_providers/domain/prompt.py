"""Puts the camera's form fields into prompts.

`{{name}}` becomes the form field's value, `{{name|default}}` the default where the field is absent or empty.
That is all there is: no expressions, no format strings, and a value is never looked at for placeholders
itself.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

MAX_VALUE_CHARS: Final = 200
"""What is taken of a form field's value; a guest's name is short, a pasted novel is not meant."""

_PLACEHOLDER: Final = re.compile(r"\{\{([^{}|]{1,64})(?:\|([^{}]{0,400}))?\}\}")


def render_prompt(text: str, fields: Mapping[str, str]) -> str:
    """Returns the text with its placeholders filled. Anything that is no well-formed placeholder stays."""

    def value(match: re.Match[str]) -> str:
        given = _plain(fields.get(match[1].strip(), ""))
        return given or (match[2] or "").strip()

    return _PLACEHOLDER.sub(value, text)


def _plain(value: str) -> str:
    """Makes one line of plain text: no control, format or unassigned characters, bounded length."""
    kept = (
        " " if character.isspace() else character
        for character in value[: MAX_VALUE_CHARS * 4]
        if character.isspace() or not unicodedata.category(character).startswith("C")
    )
    return " ".join("".join(kept).split())[:MAX_VALUE_CHARS].rstrip()
