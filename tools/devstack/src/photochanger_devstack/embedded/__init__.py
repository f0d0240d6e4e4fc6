"""Real PostgreSQL, NATS and S3 servers from wheels: no Docker, no root, no network.

`postgres`, `nats` and `s3` each describe one server (how to prepare its data, how to launch it, how to tell
that it answers); `runner.Runner` runs one as a child of this process. The pytest plugin uses the runner, the
supervisor of `photochanger up` runs the same descriptions itself.
"""

from photochanger_devstack.embedded.launch import EmbeddedServer, Launch, OsUser
from photochanger_devstack.embedded.nats import NatsServer
from photochanger_devstack.embedded.postgres import PostgresServer
from photochanger_devstack.embedded.runner import Runner, ServerDidNotStart
from photochanger_devstack.embedded.s3 import S3Server

__all__ = [
    "EmbeddedServer",
    "Launch",
    "NatsServer",
    "OsUser",
    "PostgresServer",
    "Runner",
    "S3Server",
    "ServerDidNotStart",
]
