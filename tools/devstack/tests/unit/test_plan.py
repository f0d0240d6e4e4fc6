"""Ports, secrets and outside servers, before anything runs."""

from __future__ import annotations

import socket
import stat
from typing import TYPE_CHECKING

import pytest
from photochanger_devstack.embedded.ports import free_port, is_free, port_near
from photochanger_devstack.stack.layout import Layout, write_atomically
from photochanger_devstack.stack.plan import Outside, Plan, PlanError, Secrets, read_env
from photochanger_devstack.stack.services import ALL_SERVICES, MOST_WORKERS, SERVICES
from photochanger_devstack.stack.unit import servers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path)
    made.make()
    return made


def test_a_listening_server_takes_its_port() -> None:
    port = free_port()
    assert is_free(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        assert port_near(port) != port


def test_a_port_given_to_another_process_is_not_given_again() -> None:
    port = free_port()
    assert port_near(port, taken=[port]) != port


def test_every_port_of_a_plan_is_different_and_the_next_plan_has_the_same(layout: Layout) -> None:
    first = Plan.make(layout, {})
    assert len(set(first.ports.values())) == len(first.ports)
    assert Plan.make(layout, {}).ports == first.ports


def test_secrets_are_drawn_once_for_a_checkout_and_differ_between_two(layout: Layout) -> None:
    drawn = Secrets.load(layout)
    assert Secrets.load(layout) == drawn
    assert Secrets().ingest_password != drawn.ingest_password
    assert stat.S_IMODE(layout.stack_secrets.stat().st_mode) == 0o600


def test_secrets_never_show_in_a_repr(layout: Layout) -> None:
    drawn = Secrets.load(layout)
    assert not any(value in repr(drawn) for value in drawn.model_dump().values())


def test_a_path_with_spaces_and_quotes_survives_dev_env(tmp_path: Path) -> None:
    root = tmp_path / "Serg's photo changer"
    root.mkdir()
    plan = Plan.make(Layout(root), {})
    plan.write_env()
    assert read_env(Layout(root)) == plan.dev_env()


def test_outside_s3_needs_its_keys() -> None:
    with pytest.raises(PlanError, match="S3_ACCESS_KEY"):
        Outside.of({"S3_ENDPOINT_URL": "https://minio.example"}, ours={})


def test_outside_servers_replace_exactly_the_embedded_ones(layout: Layout) -> None:
    given = {
        "DATABASE_URL_INGEST": "postgresql://db.example/ingest",
        "S3_ENDPOINT_URL": "https://minio.example",
        "S3_ACCESS_KEY": "key",
        "S3_SECRET_KEY": "secret",
        "S3_BUCKET": "studio",
    }
    plan = Plan.make(layout, given)
    assert [unit.name for unit in servers(plan)] == ["postgres", "nats"]
    assert plan.database_url("ingest") == "postgresql://db.example/ingest"
    assert plan.database_url("media").startswith("postgresql://postgres:")
    assert plan.s3_env()["S3_BUCKET"] == "studio"
    assert Plan.load(layout).outside == plan.outside


def test_an_outside_server_stays_outside_when_dev_env_is_loaded_into_the_shell(layout: Layout) -> None:
    Plan.make(layout, {"NATS_URL": "nats://nats.example"}).write_env()
    assert Plan.make(layout, read_env(layout)).outside.nats_url == "nats://nats.example"


def test_every_service_is_told_its_addresses_and_no_one_elses_secrets(layout: Layout) -> None:
    plan = Plan.make(layout, {})
    told = {service.name: service.launch(plan, "serve", {}).env for service in SERVICES}
    assert {name for name, env in told.items() if "DATABASE_URL" in env} == {
        "ingest",
        "providers",
        "media",
        "worker-1",
    }
    assert {name for name, env in told.items() if "JWT_SIGNING_KEY" in env} == {"gateway"}
    assert {name for name, env in told.items() if "S3_SECRET_KEY" in env} == {"media"}
    assert {name for name, env in told.items() if "SECRETS_ENCRYPTION_KEY" in env} == {
        "ingest",
        "providers",
        "worker-1",
    }
    assert {name for name, env in told.items() if "INGEST_PASSWORD" in env} == {"ingest"}
    assert all(env["NATS_URL"] == plan.nats_url for env in told.values())


def test_every_worker_is_a_process_like_the_first_but_for_its_ports(layout: Layout) -> None:
    workers = [service for service in ALL_SERVICES if service.group == "worker"]
    names = [name for worker in workers for name in (worker.port, f"{worker.name}-metrics")]
    plan = Plan.make(layout, {}, extra_ports=names)
    launches = [worker.launch(plan, "serve", {}) for worker in workers]
    assert {launch.argv[-1] for launch in launches} == {"worker"}
    for variable in ("GRPC_LISTEN", "METRICS_LISTEN"):
        assert len({launch.env[variable] for launch in launches}) == MOST_WORKERS
    assert len({launch.env["DATABASE_URL"] for launch in launches}) == 1


def test_the_users_settings_reach_the_services_but_do_not_override_addresses(layout: Layout) -> None:
    plan = Plan.make(layout, {})
    environ = {"GEMINI_API_KEY": "key", "LOG_LEVEL": "DEBUG", "MEDIA_TARGET": "elsewhere:1"}
    env = SERVICES[0].launch(plan, "serve", environ).env
    assert (env["GEMINI_API_KEY"], env["LOG_LEVEL"]) == ("key", "DEBUG")
    assert env["MEDIA_TARGET"] == plan.listen("media")


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\udc80")
    assert [item.name for item in tmp_path.iterdir()] == ["state.json"]
    assert path.read_text() == "old"
