"""The engine behind plain, picklable values: what a worker process runs.

A decoded 16 MP photo and its passes need some 300 MB for a second, so the service edits in worker processes and
hands over paths instead of pictures.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from photochanger_providers.local_engine.engine import LocalEngine
from photochanger_providers.local_engine.options import Edit


@dataclass(frozen=True, slots=True)
class EditedFile:
    """What was written to the target."""

    content_type: str
    width_px: int
    height_px: int
    size_bytes: int


def edit_file(
    models: Path, source: Path, target: Path, edit: Edit, *, template: Path | None = None
) -> EditedFile:
    """Edits the photo in `source` into `target`. The first call of a process loads the models (about 50 ms).

    For one thread at a time in each process.

    Raises:
        LocalEngineError: As `LocalEngine.edit`; `target` is not written then.
        OSError: A file cannot be read or written.
    """
    edited = _engine(models).edit(
        source.read_bytes(), edit, template=template.read_bytes() if template is not None else None
    )
    target.write_bytes(edited.content)
    return EditedFile(edited.content_type, edited.width_px, edited.height_px, len(edited.content))


@cache
def _engine(models: Path) -> LocalEngine:
    return LocalEngine(models)
