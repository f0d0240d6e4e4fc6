"""Fixtures with real servers: PostgreSQL, NATS with JetStream and S3, embedded, one of each per pytest run.

Enable with `pytest_plugins = ["photochanger_devstack.pytest_plugin"]` in the root conftest. Nothing
is started until a test asks for it; xdist workers share what is started; everything ends with the run, also
when it crashes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import uuid4

import pytest

from photochanger_devstack.embedded.ports import free_port as _free_port
from photochanger_devstack.testing.run import Run
from photochanger_devstack.testing.servers import (
    Address,
    OwnNats,
    OwnPostgres,
    OwnS3,
    OwnServer,
    S3Store,
    SharedServers,
    new_address,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from photochanger_devstack.embedded import PostgresServer

_Own = TypeVar("_Own", bound=OwnServer)
_RUN = pytest.StashKey[Run]()
_CONTROLLER = pytest.StashKey[int]()
_INPUT = "photochanger_run"


class _XdistNode(Protocol):
    config: pytest.Config
    workerinput: dict[str, str]


def pytest_configure(config: pytest.Config) -> None:
    """Makes the run's folder, or in an xdist worker finds the controller's."""
    worker_input: dict[str, str] | None = getattr(config, "workerinput", None)
    if worker_input is not None:
        config.stash[_RUN] = Run(Path(worker_input[_INPUT]))
        return
    config.stash[_RUN], config.stash[_CONTROLLER] = Run.begin()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: _XdistNode) -> None:
    """Tells an xdist worker where the run's folder is."""
    node.workerinput[_INPUT] = str(node.config.stash[_RUN].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends every server of the run."""
    if _CONTROLLER in config.stash:
        config.stash[_RUN].finish(config.stash[_CONTROLLER])


@pytest.fixture(scope="session")
def devstack_run(pytestconfig: pytest.Config) -> Run:
    """This run's folder, for processes of a test's own: what is given to its `keep` ends with the run."""
    return pytestconfig.stash[_RUN]


@pytest.fixture(scope="session")
def shared_servers(pytestconfig: pytest.Config) -> SharedServers:
    """The run's shared servers, each started when first asked for. Prefer the fixtures below."""
    return SharedServers(pytestconfig.stash[_RUN])


@pytest.fixture(scope="session")
def postgres_server(shared_servers: SharedServers) -> PostgresServer:
    """The shared PostgreSQL: `url()` is the superuser's, `create_database(name)` returns a new one's URL."""
    return shared_servers.postgres()


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """What `postgres_url` is a copy of: nothing. A folder whose tests all need the same tables overrides this
    with what `shared_servers.template(name, fill)` returns."""
    return "template0"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The URL of a new database for this test alone, a copy of the template; dropped after it (about 25 ms in all)."""
    name = f"test_{uuid4().hex}"
    yield postgres_server.create_database(name, template=postgres_template)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def nats_url(shared_servers: SharedServers) -> str:
    """The URL of the shared NATS with JetStream. Streams are shared too: name yours uniquely."""
    return shared_servers.nats().url


@pytest.fixture(scope="session")
def s3(shared_servers: SharedServers) -> S3Store:
    """The shared S3 server: endpoint_url, access_key, secret_key, region, and `new_bucket()`.

    With `TEST_S3_ENDPOINT_URL`, `TEST_S3_ACCESS_KEY` and `TEST_S3_SECRET_KEY` in the environment, that server.
    """
    return S3Store.given(os.environ) or S3Store.of(shared_servers.s3())


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that returns a TCP port nobody listens on now."""
    return _free_port


@pytest.fixture
def own_postgres(pytestconfig: pytest.Config) -> Iterator[Callable[[], OwnPostgres]]:
    """Makes private PostgreSQL servers, started, that this test may stop, kill, restart or wipe."""
    yield from _own_servers(pytestconfig.stash[_RUN], OwnPostgres)


@pytest.fixture
def own_nats(pytestconfig: pytest.Config) -> Iterator[Callable[[], OwnNats]]:
    """Makes private NATS servers, started, that this test may stop, kill, restart or wipe."""
    yield from _own_servers(pytestconfig.stash[_RUN], OwnNats)


@pytest.fixture
def own_s3(pytestconfig: pytest.Config) -> Iterator[Callable[[], OwnS3]]:
    """Makes private S3 servers, started, that this test may stop, kill, restart or wipe."""
    yield from _own_servers(pytestconfig.stash[_RUN], OwnS3)


def _own_servers(run: Run, kind: Callable[[Run, Path, Address], _Own]) -> Iterator[Callable[[], _Own]]:
    made: list[_Own] = []

    def make() -> _Own:
        folder = run.folder / f"own-{uuid4().hex}"
        server = kind(run, folder, new_address())
        made.append(server)
        server.start()
        return server

    yield make
    for server in reversed(made):
        server.wipe()
