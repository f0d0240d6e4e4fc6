"""An S3 server from the `nanio` wheel, on loopback with random keys."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from minio import Minio

from photochanger_devstack.embedded.launch import Launch, bare_environment
from photochanger_devstack.embedded.ports import LOOPBACK
from photochanger_devstack.probes import http_status

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class S3Keys:
    """The one key pair the server accepts."""

    access_key: str
    secret_key: str = field(repr=False)


class S3Server:
    """One S3 server whose buckets are folders of `data`."""

    name = "s3"
    region = REGION

    def __init__(self, data: Path, *, port: int, keys: S3Keys) -> None:
        self.data = data
        self.port = port
        self.keys = keys

    @property
    def endpoint_url(self) -> str:
        """The base URL of the S3 API."""
        return f"http://{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Makes the data folder."""
        self.data.mkdir(parents=True, exist_ok=True)

    def launch(self) -> Launch:
        """The server in the foreground, one worker; keys go by environment, not on the command line."""
        return Launch(
            argv=(
                *(sys.executable, "-m", "nanio", "serve", "--host", LOOPBACK, "--port", str(self.port)),
                *(
                    "--data-dir",
                    str(self.data),
                    "--region",
                    REGION,
                    "--log-level",
                    "warning",
                    "--no-access-log",
                ),
            ),
            env=bare_environment()
            | {"NANIO_ACCESS_KEY": self.keys.access_key, "NANIO_SECRET_KEY": self.keys.secret_key},
            cwd=self.data,
        )

    def answers(self) -> bool:
        """Whether it answers HTTP; a refusal of our unsigned request is an answer too."""
        return http_status(self.endpoint_url) is not None

    def create_bucket(self, name: str) -> None:
        """Creates `name` where it does not exist yet. The server must be running."""
        create_bucket(self.endpoint_url, self.keys, name)


def create_bucket(endpoint_url: str, keys: S3Keys, name: str, *, region: str = REGION) -> None:
    """Creates the bucket `name` on any S3 server where it does not exist yet."""
    url = urlsplit(endpoint_url)
    client = Minio(
        url.netloc,
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        secure=url.scheme == "https",
        region=region,
    )
    if not client.bucket_exists(bucket_name=name):
        client.make_bucket(bucket_name=name)
