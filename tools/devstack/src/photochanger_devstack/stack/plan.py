"""What a stack is made of before it runs: ports, secrets and where the outside servers are."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field

from photochanger_devstack.embedded import NatsServer, PostgresServer, S3Server
from photochanger_devstack.embedded.ports import LOOPBACK, is_free, port_near
from photochanger_devstack.embedded.s3 import S3Keys
from photochanger_devstack.stack.layout import SECRET_MODE, Layout, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PREFERRED_PORTS = {
    "gateway": 8000,
    "ingest": 50051,
    "providers": 50052,
    "media": 50053,
    "ingest-metrics": 9102,
    "providers-metrics": 9103,
    "media-metrics": 9104,
    "worker-1": 50061,
    "worker-1-metrics": 9111,
    "postgres": 54320,
    "nats": 42220,
    "nats-monitoring": 42280,
    "s3": 42900,
}
DATABASES = ("ingest", "providers", "media")
BUCKET = "photochanger"
ADMIN = "serg"


def _token(characters: int = 24) -> str:
    return secrets.token_urlsafe(characters)[:characters]


def _key() -> str:
    """256 random bits in the form Fernet and AES-GCM users both read."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


class Secrets(BaseModel):
    """Everything drawn at random, once, at the first start. Kept in a file only its owner reads."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    ingest_password: str = Field(default_factory=lambda: _token(16), repr=False)
    admin_password: str = Field(default_factory=lambda: _token(20), repr=False)
    postgres_password: str = Field(default_factory=_token, repr=False)
    nats_password: str = Field(default_factory=_token, repr=False)
    s3_access_key: str = Field(default_factory=lambda: secrets.token_hex(10), repr=False)
    s3_secret_key: str = Field(default_factory=lambda: secrets.token_hex(20), repr=False)
    jwt_signing_key: str = Field(default_factory=_key, repr=False)
    secrets_encryption_key: str = Field(default_factory=_key, repr=False)
    password_pepper: str = Field(default_factory=_key, repr=False)

    @classmethod
    def load(cls, layout: Layout) -> Self:
        """The checkout's secrets, made when missing."""
        path = layout.stack_secrets
        known = json.loads(path.read_text()) if path.exists() else {}
        made = cls.model_validate(known)
        if made.model_dump() != known:
            write_atomically(path, made.model_dump_json(indent=2), mode=SECRET_MODE)
        return made


class Outside(BaseModel):
    """Servers of the user's own, by URL; what is missing here is embedded."""

    model_config = ConfigDict(frozen=True)

    databases: dict[str, str] = Field(default_factory=dict, repr=False)
    nats_url: str | None = Field(None, repr=False)
    s3_endpoint_url: str | None = None
    s3_access_key: str = Field("", repr=False)
    s3_secret_key: str = Field("", repr=False)
    s3_region: str = "us-east-1"
    s3_bucket: str = BUCKET

    @classmethod
    def of(cls, environ: Mapping[str, str], *, ours: Mapping[str, str]) -> Self:
        """Reads `DATABASE_URL_<SERVICE>`, `NATS_URL` and `S3_*`.

        A value equal to one in `ours` (the last `dev.env`, which the user may have loaded into the shell)
        names our own embedded server, unless that file says the server was an outside one already.
        """
        said_outside = ours.get("OUTSIDE_SERVERS", "").split(",")

        def given(name: str, server: str) -> str | None:
            value = environ.get(name) or None
            return None if value == ours.get(name) and server not in said_outside else value

        databases = {name: given(f"DATABASE_URL_{name.upper()}", f"postgres:{name}") for name in DATABASES}
        endpoint = given("S3_ENDPOINT_URL", "s3")
        if endpoint is not None and not (environ.get("S3_ACCESS_KEY") and environ.get("S3_SECRET_KEY")):
            raise PlanError("S3_ENDPOINT_URL is set: set S3_ACCESS_KEY and S3_SECRET_KEY too.")
        return cls(
            databases={name: url for name, url in databases.items() if url},
            nats_url=given("NATS_URL", "nats"),
            s3_endpoint_url=endpoint,
            s3_access_key=environ.get("S3_ACCESS_KEY", "") if endpoint else "",
            s3_secret_key=environ.get("S3_SECRET_KEY", "") if endpoint else "",
            s3_region=environ.get("S3_REGION", "us-east-1") if endpoint else "us-east-1",
            s3_bucket=environ.get("S3_BUCKET", BUCKET) if endpoint else BUCKET,
        )

    @property
    def names(self) -> list[str]:
        """The outside servers, as `OUTSIDE_SERVERS` lists them."""
        found = [f"postgres:{name}" for name in self.databases]
        return found + ["nats"] * bool(self.nats_url) + ["s3"] * bool(self.s3_endpoint_url)


class PlanError(Exception):
    """The stack cannot be planned; the message says what to change."""


class Plan:
    """One start's ports, secrets and servers: everything processes are told."""

    def __init__(
        self, layout: Layout, *, ports: Mapping[str, int], secrets: Secrets, outside: Outside
    ) -> None:
        self.layout = layout
        self.ports = ports
        self.secrets = secrets
        self.outside = outside
        self.postgres = PostgresServer(
            layout.data / "postgres", port=ports["postgres"], password=secrets.postgres_password
        )
        self.nats = NatsServer(
            layout.data / "nats",
            port=ports["nats"],
            monitoring_port=ports["nats-monitoring"],
            password=secrets.nats_password,
        )
        self.s3 = S3Server(
            layout.data / "s3", port=ports["s3"], keys=S3Keys(secrets.s3_access_key, secrets.s3_secret_key)
        )

    @classmethod
    def make(cls, layout: Layout, environ: Mapping[str, str], *, extra_ports: Iterable[str] = ()) -> Plan:
        """Chooses ports, the last ones where free, and loads or draws secrets. Raises `PlanError`."""
        layout.make()
        outside = Outside.of(environ, ours=read_env(layout))
        ports = _choose_ports(layout, extra_ports)
        write_atomically(layout.ports, json.dumps(ports, indent=2))
        write_atomically(layout.outside, outside.model_dump_json(indent=2), mode=SECRET_MODE)
        return cls(layout, ports=ports, secrets=Secrets.load(layout), outside=outside)

    @classmethod
    def load(cls, layout: Layout) -> Plan:
        """The plan made last, for the supervisor that carries it out."""
        ports = json.loads(layout.ports.read_text())
        outside = Outside.model_validate_json(layout.outside.read_text())
        return cls(layout, ports=ports, secrets=Secrets.load(layout), outside=outside)

    def listen(self, port_name: str) -> str:
        """`host:port` of a port by its name."""
        return f"{LOOPBACK}:{self.ports[port_name]}"

    @property
    def gateway_url(self) -> str:
        """Where cameras and browsers go."""
        return f"http://{self.listen('gateway')}"

    def database_url(self, database: str) -> str:
        """The URL of a service's database, outside or embedded."""
        return self.outside.databases.get(database) or self.postgres.url(database)

    @property
    def nats_url(self) -> str:
        """The URL of NATS, outside or embedded."""
        return self.outside.nats_url or self.nats.url

    def s3_env(self) -> dict[str, str]:
        """The `S3_*` settings, of an outside server or the embedded one."""
        outside = self.outside
        if outside.s3_endpoint_url:
            return {
                "S3_ENDPOINT_URL": outside.s3_endpoint_url,
                "S3_ACCESS_KEY": outside.s3_access_key,
                "S3_SECRET_KEY": outside.s3_secret_key,
                "S3_REGION": outside.s3_region,
                "S3_BUCKET": outside.s3_bucket,
            }
        return {
            "S3_ENDPOINT_URL": self.s3.endpoint_url,
            "S3_ACCESS_KEY": self.secrets.s3_access_key,
            "S3_SECRET_KEY": self.secrets.s3_secret_key,
            "S3_REGION": self.s3.region,
            "S3_BUCKET": BUCKET,
        }

    def dev_env(self) -> dict[str, str]:
        """What a person or a script needs to talk to the stack."""
        return (
            {
                "GATEWAY_URL": self.gateway_url,
                "INGEST_PASSWORD": self.secrets.ingest_password,
                "ADMIN_URL": f"{self.gateway_url}/admin",
                "ADMIN_USERNAME": ADMIN,
                "ADMIN_PASSWORD": self.secrets.admin_password,
                "OUTSIDE_SERVERS": ",".join(self.outside.names),
                "NATS_URL": self.nats_url,
                "JWT_SIGNING_KEY": self.secrets.jwt_signing_key,
                "SECRETS_ENCRYPTION_KEY": self.secrets.secrets_encryption_key,
                "PASSWORD_PEPPER": self.secrets.password_pepper,
                "CREDENTIALS_FILE": str(self.layout.credentials),
                "LOCAL_MODELS_DIR": str(self.layout.models),
            }
            | self.s3_env()
            | {f"DATABASE_URL_{name.upper()}": self.database_url(name) for name in DATABASES}
            | {f"{name.upper()}_TARGET": self.listen(name) for name in DATABASES}
        )

    def write_env(self) -> None:
        """Writes `dev.env`, readable by its owner only."""
        lines = [f"{name}={shlex.quote(value)}" for name, value in self.dev_env().items()]
        header = "# Written by `photochanger up`; changes here are lost.\n"
        write_atomically(self.layout.dev_env, header + "\n".join(lines) + "\n", mode=SECRET_MODE)


def read_env(layout: Layout) -> dict[str, str]:
    """The last `dev.env`, empty where there is none."""
    try:
        text = layout.dev_env.read_text()
    except FileNotFoundError:
        return {}
    pairs = (word.partition("=") for word in shlex.split(text, comments=True))
    return {name: value for name, _, value in pairs}


def _choose_ports(layout: Layout, extra: Iterable[str]) -> dict[str, int]:
    last: dict[str, int] = json.loads(layout.ports.read_text()) if layout.ports.exists() else {}
    chosen: dict[str, int] = {}
    for name in dict.fromkeys((*PREFERRED_PORTS, *extra)):
        remembered = last.get(name)
        if remembered is not None and remembered not in chosen.values() and is_free(remembered):
            chosen[name] = remembered
        else:
            chosen[name] = port_near(PREFERRED_PORTS.get(name, 45000), taken=chosen.values())
    return chosen
