"""What docs/kubernetes.md says, as far as manifests are held to it."""

import re
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "kubernetes.md"
_SECRET: Final = re.compile(r"^\| `([a-z-]+)` \| `([a-z0-9_.-]+)` \| (.+) \|$", re.MULTILINE)


def secret_keys() -> dict[tuple[str, str], bool]:
    """The Secrets' names and keys, and whether they may be missing."""
    rows = _SECRET.findall(PAGE.read_text(encoding="utf-8"))
    return {(name, key): "may be missing" in meaning for name, key, meaning in rows}
