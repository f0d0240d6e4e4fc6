"""Errors of the local engine.

```
LocalEngineError
├── InvalidOptions       the request cannot mean anything: a field is unknown, missing or out of bounds
├── UnreadablePhoto      the photo's bytes are not a picture this engine can open
├── UnreadableTemplate   the same for the template picture
├── NoPersonFound        nobody to keep: a background operation has nothing to do
└── ModelsMissing        the model files are absent or not the expected ones
```

The first four are the caller's to mend (`bad_input`); `ModelsMissing` is the installation's.
"""

from pathlib import Path


class LocalEngineError(Exception):
    """Base of everything this engine raises on purpose."""


class InvalidOptions(LocalEngineError):
    """An option of the operation is unknown, missing or out of bounds; `field` names it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"Option {field!r} {problem}.")
        self.field = field
        self.problem = problem

    def __reduce__(self) -> tuple[type["InvalidOptions"], tuple[str, str]]:
        """Survives the way back from a worker process."""
        return type(self), (self.field, self.problem)


class UnreadablePhoto(LocalEngineError):
    """The photo cannot be decoded, or is too small or too large to work on."""


class UnreadableTemplate(LocalEngineError):
    """The template picture cannot be decoded, or is too small or too large to work on."""


class NoPersonFound(LocalEngineError):
    """No person is visible in the photo, so there is nobody to keep while the background changes."""

    def __init__(self) -> None:
        super().__init__("No person was found in the photo. Background operations need at least one.")

    def __reduce__(self) -> tuple[type["NoPersonFound"], tuple[()]]:
        """Survives the way back from a worker process."""
        return type(self), ()


class ModelsMissing(LocalEngineError):
    """A model file is absent or has another digest; `path` says which."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"Model file {path} {problem}. Run tools/models/fetch.py to set the models up.")
        self.path = path
        self.problem = problem

    def __reduce__(self) -> tuple[type["ModelsMissing"], tuple[Path, str]]:
        """Survives the way back from a worker process."""
        return type(self), (self.path, self.problem)
