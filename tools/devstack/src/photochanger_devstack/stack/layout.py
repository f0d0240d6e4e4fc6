"""Where the stack of one checkout keeps things: all under `.local/`."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

SECRET_MODE = 0o600


def this_checkout() -> Path:
    """The checkout this code runs from."""
    return Path(__file__).resolve().parents[5]


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of the stack in `root`."""

    root: Path

    @property
    def local(self) -> Path:
        """Everything the stack makes; `photochanger clean` deletes it."""
        return self.root / ".local"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.local / "logs"

    @property
    def data(self) -> Path:
        """Data of the embedded servers."""
        return self.local / "data"

    @property
    def models(self) -> Path:
        """Models of the `local` provider, fetched at set-up."""
        return self.local / "models"

    @property
    def demo(self) -> Path:
        """Pictures `photochanger demo` made."""
        return self.local / "demo"

    @property
    def secrets(self) -> Path:
        """Readable by its owner only."""
        return self.local / "secrets"

    @property
    def stack_secrets(self) -> Path:
        """What was drawn at random at the first start."""
        return self.secrets / "stack.json"

    @property
    def outside(self) -> Path:
        """The outside servers of the last start; URLs may hold passwords."""
        return self.secrets / "outside.json"

    @property
    def credentials(self) -> Path:
        """The admins' password hashes, read by the gateway."""
        return self.secrets / "runtime_credentials.json"

    @property
    def api_key(self) -> Path:
        """The API key of `photochanger send --async`."""
        return self.secrets / "api-key"

    @property
    def dev_env(self) -> Path:
        """Addresses and passwords of the running stack, as shell assignments."""
        return self.local / "dev.env"

    @property
    def ports(self) -> Path:
        """Ports used last, taken again where they are free."""
        return self.local / "ports.json"

    @property
    def scale(self) -> Path:
        """How many processes there are of what can be scaled."""
        return self.local / "scale.json"

    @property
    def state(self) -> Path:
        """What runs, as the supervisor last wrote it."""
        return self.local / "stack.json"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.local / "supervisor.lock"

    @property
    def command_lock(self) -> Path:
        """Held while `up`, `down` or `clean` changes something."""
        return self.local / "command.lock"

    def log_of(self, process: str) -> Path:
        """The log file of one process."""
        return self.logs / f"{process}.log"

    def make(self) -> None:
        """Makes the folders. Raises `OSError` where the checkout cannot be written."""
        for folder in (self.local, self.logs, self.data):
            folder.mkdir(exist_ok=True)
        self.secrets.mkdir(mode=0o700, exist_ok=True)


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replaces `path` with `text` in one step; a reader sees the old or the new, never a part."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(descriptor, mode)
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
