"""Temporary directories, one a job."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PREFIX: Final = "photochanger-job-"


class JobDirectory:
    """A job's own directory for temporary files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers = itertools.count(1)

    def new_file(self, suffix: str) -> Path:
        """Returns the path of a file that does not exist yet."""
        return self._path / f"{next(self._numbers)}{suffix}"


@contextmanager
def open_workspace(parent: Path) -> Iterator[JobDirectory]:
    """Makes a directory that only this user can read, and removes it with all that is in it."""
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    try:
        yield JobDirectory(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def remove_leftovers(parent: Path) -> int:
    """Removes directories a killed process has left; returns how many. `parent` is this process's own."""
    leftovers = list(parent.glob(f"{_PREFIX}*"))
    for path in leftovers:
        shutil.rmtree(path, ignore_errors=True)
    return len(leftovers)
