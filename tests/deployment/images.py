"""Dockerfiles, and what they put into an image."""

import json
import re
import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCKER: Final = ROOT / "deploy" / "docker"
IMAGES: Final = sorted(path.parent.name for path in DOCKER.glob("*/Dockerfile"))


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, in the stage it belongs to (`` for the last one)."""

    stage: str
    name: str
    arguments: str

    @property
    def copied(self) -> list[str]:
        """What a COPY takes from the checkout."""
        if self.name != "COPY" or self.arguments.startswith("--from="):
            return []
        return self.arguments.split()[:-1]


def instructions(text: str) -> Iterator[Instruction]:
    """Reads a Dockerfile of ours: no heredocs, no other escape character."""
    stage = ""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, arguments = line.strip().partition(" ")
        if name == "FROM":
            stage = arguments.partition(" AS ")[2]
        if name:
            yield Instruction(stage, name, arguments.strip())


def dockerfile(image: str) -> list[Instruction]:
    """The instructions of an image of ours."""
    return list(instructions((DOCKER / image / "Dockerfile").read_text(encoding="utf-8")))


def module_of(image: str) -> str:
    """What its entry point starts."""
    (entry,) = (each.arguments for each in dockerfile(image) if each.name == "ENTRYPOINT")
    command: list[str] = json.loads(entry)
    assert command[:2] == ["python", "-m"]
    return command[2]


def packages_of(image: str) -> set[str]:
    """The names of all packages the image gets from the index."""
    script = runpy.run_path(str(DOCKER / "requirements.py"))
    lock = script["read_lock"]((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    names = script["wanted"](image, (DOCKER / "packages.toml").read_text(encoding="utf-8"))
    return {entry.name for entry in script["subset"](lock, names)}


def ours_of(image: str) -> list[Path]:
    """The source folders of our own packages that it gets."""
    copied = [Path(source) for each in dockerfile(image) for source in each.copied]
    folders = {path.parent if path.name in {"src", "pyproject.toml"} else path for path in copied}
    return sorted(ROOT / folder / "src" for folder in folders if (ROOT / folder / "pyproject.toml").exists())


def modules_not_of(image: str) -> set[str]:
    """The names of the modules, outermost ones, that are installed here and that its packages do not bring."""
    packages = packages_of(image)
    owners = {name: {*map(_plain, names)} for name, names in packages_distributions().items()}
    return {
        name for name, its in owners.items() if not its & packages and not name.startswith("photochanger")
    }


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
