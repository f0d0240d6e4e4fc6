"""Makes the checkout ready: environment, dependencies, stubs, our packages, models, the admins' app.

Runs with any Python 3.11+ and nothing installed. Each step is skipped when what it depends on is unchanged since it
last succeeded, so that a second run takes no time and no network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / ".photochanger"
LOCK = ROOT / "requirements.lock"
PACKAGES = (
    *("libs/contracts", "libs/chassis", "libs/imaging", "libs/tasks"),
    *("services/admin-gateway", "services/ingest", "services/providers", "services/media"),
    *("tools/devstack", "tools/mockproviders"),
)
FETCH_MODELS = ROOT / "tools" / "models" / "fetch.py"
MODELS = ROOT / ".local" / "models"
BUILD_WEB = ROOT / "tools" / "setup" / "web.py"


class SetupError(Exception):
    """A step failed; the message says what to do."""


def main() -> int:
    """Runs the steps that are due; returns the exit code."""
    try:
        _environment()
        _dependencies()
        _stubs()
        _packages()
        _models()
        _web()
    except SetupError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    return 0


def _environment() -> None:
    # Scripts in an environment name it by its full path: a checkout that was moved or copied needs a new one.
    key = _digest([str(VENV)])
    if PYTHON.exists() and (_done("environment", key) or not (STAMPS / "environment").exists()):
        _stamp("environment", key)
        return
    _say("making .venv")
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], check=False, capture_output=True, text=True)
    if made.returncode != 0:
        raise SetupError(
            f"{made.stdout}{made.stderr}\nPython could not make an environment. "
            "On Debian and Ubuntu its module is a package of its own: apt install python3-venv"
        )
    _stamp("environment", key)


def _dependencies() -> None:
    key = _digest([LOCK.read_bytes()])
    if _done("dependencies", key):
        return
    _say("installing dependencies (about a minute the first time)")
    _pip(
        ["--require-hashes", "--no-deps", "--requirement", str(LOCK)],
        advice="The package index must be reachable for this one step. Check the network, and PIP_INDEX_URL.",
    )
    _stamp("dependencies", key)


def _stubs() -> None:
    generator = ROOT / "libs" / "contracts" / "generate.py"
    sources = sorted((ROOT / "protos").rglob("*.proto"))
    key = _digest([generator.read_bytes(), LOCK.read_bytes(), *(path.read_bytes() for path in sources)])
    if _done("stubs", key) and (ROOT / "libs" / "contracts" / "src" / "photochanger").exists():
        return
    _say("generating stubs from protos/")
    _run([str(PYTHON), str(generator)], advice="The protos do not compile; see above.")
    _stamp("stubs", key)


def _packages() -> None:
    key = _digest([(ROOT / package / "pyproject.toml").read_bytes() for package in PACKAGES])
    if _done("packages", key):
        return
    _say("installing our packages in place")
    editable = [item for package in PACKAGES for item in ("--editable", str(ROOT / package))]
    _pip(
        ["--no-deps", "--no-build-isolation", "--no-index", *editable],
        advice="One of our packages is broken.",
    )
    _stamp("packages", key)


def _models() -> None:
    key = _digest(path.read_bytes() for path in sorted(FETCH_MODELS.parent.iterdir()) if path.is_file())
    if _done("models", key) and MODELS.exists() and any(MODELS.iterdir()):
        return
    _say("fetching models")
    _run([str(PYTHON), str(FETCH_MODELS), str(MODELS)], advice="The models could not be fetched; see above.")
    _stamp("models", key)


def _web() -> None:
    # It knows by itself what is due, and speaks for itself.
    if subprocess.run([str(PYTHON), str(BUILD_WEB)], cwd=ROOT, check=False).returncode != 0:
        raise SetupError("The admins' app could not be built; see above.")


def _pip(arguments: list[str], *, advice: str) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-warn-script-location"]
    _run([str(PYTHON), "-m", "pip", "install", *options, *arguments], advice=advice)


def _run(command: list[str], *, advice: str) -> None:
    # Root is told by pip not to be root; here it is an environment of our own.
    env = os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}
    ran = subprocess.run(
        command, cwd=ROOT, env=env, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if ran.returncode != 0:
        raise SetupError(f"{ran.stdout}\n{advice}")


def _digest(parts: Iterable[bytes | str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _done(step: str, key: str) -> bool:
    path = STAMPS / step
    return path.exists() and path.read_text() == key


def _stamp(step: str, key: str) -> None:
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / step).write_text(key)


def _say(text: str) -> None:
    sys.stdout.write(f"setup: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
