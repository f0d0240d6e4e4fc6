"""Prints the part of requirements.lock that an image gets: `python requirements.py SERVICE` (or `build`).

Runs in a build stage with nothing but Python. Which packages depend on which is what the lock's `# via` comments say,
so nothing is resolved anew: versions and hashes are those the tests ran with.
"""

import re
import sys
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
PACKAGES: Final = HERE / "packages.toml"
BUILD: Final = "build"
_ENTRY: Final = re.compile(r"^([a-z0-9][a-z0-9-]*)==", re.MULTILINE)
_NEEDED_BY: Final = re.compile(r"^    #(?: via)? +([a-z0-9][a-z0-9-]*)(?:\[[a-z,]+\])?$", re.MULTILINE)


class UnknownPackage(Exception):
    """packages.toml names a package that is not in the lock."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One entry of the lock, as it stands there. A package may have several, for different Pythons."""

    name: str
    text: str
    needed_by: frozenset[str]


def wanted(image: str, packages: str) -> set[str]:
    """Returns the packages an image is said to have; `packages` is the text of packages.toml.

    Raises:
        KeyError: there is no such image.
    """
    document = tomllib.loads(packages)
    if image == BUILD:
        return set(document[BUILD])
    return {*document["chassis"], *document["services"][image]}


def images(packages: str) -> list[str]:
    """Returns the images there are."""
    return sorted(tomllib.loads(packages)["services"])


def read_lock(text: str) -> list[Locked]:
    """Reads a lock that `uv pip compile --generate-hashes` wrote."""
    starts = [*(match.start() for match in _ENTRY.finditer(text)), len(text)]
    entries = (text[start:end] for start, end in pairwise(starts))
    return [
        Locked(entry.partition("==")[0], entry, frozenset(_NEEDED_BY.findall(entry))) for entry in entries
    ]


def subset(lock: Sequence[Locked], names: Collection[str]) -> list[Locked]:
    """Returns the entries of these packages and of all that they need.

    Raises:
        UnknownPackage: one is not in the lock.
    """
    missing = set(names) - {entry.name for entry in lock}
    if missing:
        raise UnknownPackage(f"Not in requirements.lock: {', '.join(sorted(missing))}")
    needs: Mapping[str, set[str]] = {
        entry.name: {other.name for other in lock if entry.name in other.needed_by} for entry in lock
    }
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left.extend(needs[name])
    return [entry for entry in lock if entry.name in found]


def main(arguments: Sequence[str]) -> int:
    """Prints the requirements of an image; requirements.lock lies in the current folder."""
    (image,) = arguments
    lock = read_lock(Path("requirements.lock").read_text(encoding="utf-8"))
    names = wanted(image, PACKAGES.read_text(encoding="utf-8"))
    sys.stdout.write("".join(entry.text for entry in subset(lock, names)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
