"""`make test-minio`: the storage tests, and one photo through the whole stack, on a real MinIO server.

The server is the one at `MINIO_URL` (with `MINIO_ACCESS_KEY` and `MINIO_SECRET_KEY`), else a `minio` on the PATH, else
one built from its Go module into `.local/bin`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from photochanger_devstack.camera.client import Target, send_all, shots
from photochanger_devstack.embedded import Launch, Runner
from photochanger_devstack.embedded.launch import bare_environment
from photochanger_devstack.embedded.ports import LOOPBACK, free_port
from photochanger_devstack.embedded.s3 import S3Keys, create_bucket
from photochanger_devstack.probes import http_ok
from photochanger_devstack.stack.control import Control, StackError
from photochanger_devstack.stack.layout import Layout, this_checkout
from photochanger_devstack.stack.plan import read_env
from photochanger_devstack.testing.servers import S3Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MODULE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
"""Its releases have no Go version; this is its main branch of 2026-02-12."""
_STORAGE_TESTS = ("services/media/tests/adapters", "tools/devstack/tests/adapters/test_shared_servers.py")
_PHOTO = "tests/photos/portrait-1536.jpg"
_REGION = "us-east-1"


class MinioServer:
    """A MinIO server of our own."""

    name = "minio"

    def __init__(self, binary: Path, data: Path, *, port: int, keys: S3Keys) -> None:
        self._binary = binary
        self._data = data
        self._address = f"{LOOPBACK}:{port}"
        self._keys = keys

    @property
    def store(self) -> S3Store:
        """How to reach it."""
        return S3Store(f"http://{self._address}", self._keys.access_key, self._keys.secret_key, _REGION)

    def prepare(self) -> None:
        """Makes the data folder."""
        self._data.mkdir(parents=True, exist_ok=True)

    def launch(self) -> Launch:
        """The server in the foreground, without its console."""
        keys = {"MINIO_ROOT_USER": self._keys.access_key, "MINIO_ROOT_PASSWORD": self._keys.secret_key}
        return Launch(
            argv=(str(self._binary), "server", "--quiet", "--address", self._address, str(self._data)),
            env=bare_environment() | keys | {"MINIO_BROWSER": "off"},
            cwd=self._data,
        )

    def answers(self) -> bool:
        """Whether it takes requests."""
        return http_ok(f"http://{self._address}/minio/health/ready")


def main(arguments: Sequence[str]) -> int:
    """Runs both parts; `arguments` go to pytest. Returns 0 when both pass."""
    root = this_checkout()
    with (
        tempfile.TemporaryDirectory(prefix="photochanger-minio-") as folder,
        _server(root, Path(folder)) as store,
    ):
        _say(f"MinIO at {store.endpoint_url}")
        environ = dict(os.environ) | {
            "TEST_S3_ENDPOINT_URL": store.endpoint_url,
            "TEST_S3_ACCESS_KEY": store.access_key,
            "TEST_S3_SECRET_KEY": store.secret_key,
            "TEST_S3_REGION": store.region,
        }
        failed = _one_photo(root, Path(folder), store)
        tests = [path for path in _STORAGE_TESTS if (root / path).exists()]
        command = [sys.executable, "-m", "pytest", "-q", *tests, *arguments]
        return subprocess.run(command, cwd=root, env=environ, check=False).returncode or failed


@contextmanager
def _server(root: Path, folder: Path) -> Iterator[S3Store]:
    url = os.environ.get("MINIO_URL")
    if url:
        access_key, secret_key = os.environ["MINIO_ACCESS_KEY"], os.environ["MINIO_SECRET_KEY"]
        yield S3Store(url, access_key, secret_key, os.environ.get("MINIO_REGION", _REGION))
        return
    keys = S3Keys(secrets.token_hex(8), secrets.token_hex(16))
    server = MinioServer(_binary(root), folder / "data", port=free_port(), keys=keys)
    with Runner(server, log=folder / "minio.log"):
        yield server.store


def _binary(root: Path) -> Path:
    own = root / ".local" / "bin" / "minio"
    if own.exists():
        return own
    if found := shutil.which("minio"):
        return Path(found)
    if shutil.which("go") is None:
        sys.exit(
            "No MinIO at hand: set MINIO_URL, MINIO_ACCESS_KEY and MINIO_SECRET_KEY, or install minio or Go."
        )
    _say(f"building MinIO: go install {_MODULE} (some minutes the first time)")
    own.parent.mkdir(parents=True, exist_ok=True)
    environ = os.environ | {"GOBIN": str(own.parent), "CGO_ENABLED": "0"}
    if subprocess.run(["go", "install", _MODULE], env=environ, check=False).returncode != 0:
        sys.exit("MinIO could not be built; see above.")
    return own


def _one_photo(root: Path, folder: Path, store: S3Store) -> int:
    """One photo through a stack of its own whose storage is `store`; returns 0 when a picture came back."""
    bucket = f"photochanger-{secrets.token_hex(4)}"
    create_bucket(store.endpoint_url, S3Keys(store.access_key, store.secret_key), bucket, region=store.region)
    layout = Layout(folder / "stack")
    layout.root.mkdir()
    layout.make()
    layout.models.symlink_to(Layout(root).models)
    environ = dict(os.environ) | {
        "S3_ENDPOINT_URL": store.endpoint_url,
        "S3_ACCESS_KEY": store.access_key,
        "S3_SECRET_KEY": store.secret_key,
        "S3_REGION": store.region,
        "S3_BUCKET": bucket,
    }
    control = Control(layout, environ=environ)
    try:
        control.up()
        known = read_env(layout)
        target = Target(known["GATEWAY_URL"], known["INGEST_PASSWORD"])
        photo = shots((root / _PHOTO).read_bytes(), ("slot-001",), 1, same=True)
        (outcome,) = asyncio.run(send_all(target, photo, parallel=1))
    except StackError as error:
        _say(str(error))
        return 1
    finally:
        control.down()
    _say(f"one photo end to end: {outcome.failure or 'a picture came back'}")
    return 1 if outcome.failure else 0


def _say(text: str) -> None:
    sys.stdout.write(f"test-minio: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
