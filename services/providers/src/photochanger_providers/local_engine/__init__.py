"""The vision engine of the `local` provider: person segmentation, new backgrounds, stickers and styles.

Pure and synchronous: `LocalEngine(models).edit(photo, parse_edit("background_blur", {}))`. Needs no key and no network.
"""

from photochanger_providers.local_engine.engine import Edited, LocalEngine
from photochanger_providers.local_engine.errors import (
    InvalidOptions,
    LocalEngineError,
    ModelsMissing,
    NoPersonFound,
    UnreadablePhoto,
    UnreadableTemplate,
)
from photochanger_providers.local_engine.options import EDITS, Edit, Operation, parse_edit
from photochanger_providers.local_engine.schemas import options_schema
from photochanger_providers.local_engine.worker import EditedFile, edit_file

__all__ = [
    "EDITS",
    "Edit",
    "Edited",
    "EditedFile",
    "InvalidOptions",
    "LocalEngine",
    "LocalEngineError",
    "ModelsMissing",
    "NoPersonFound",
    "Operation",
    "UnreadablePhoto",
    "UnreadableTemplate",
    "edit_file",
    "options_schema",
    "parse_edit",
]
