from datetime import timedelta

import pytest
from photochanger_chassis.settings import (
    GrpcServerSettings,
    LoggingSettings,
    NatsSettings,
    PostgresSettings,
    SettingsError,
    describe,
    load,
    split_listen,
)


class Composed(LoggingSettings, PostgresSettings, NatsSettings, GrpcServerSettings):
    """As a service composes it."""


def test_blocks_compose_and_read_plain_variable_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/x")
    monkeypatch.setenv("NATS_URL", "nats://localhost")
    monkeypatch.setenv("DRAIN_GRACE", "2.5")
    settings = load(Composed)
    assert settings.database_url.get_secret_value() == "postgresql://localhost/x"
    assert settings.drain_grace == timedelta(seconds=2.5)


def test_a_missing_variable_is_named_with_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("NATS_URL", "")
    with pytest.raises(SettingsError) as refused:
        load(Composed)
    text = str(refused.value)
    assert "DATABASE_URL is not set." in text
    assert "NATS_URL is not set." in text
    assert "postgresql://user:password@host" in text


def test_a_wrong_value_is_explained_but_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@h/x")
    monkeypatch.setenv("NATS_URL", "nats://localhost")
    monkeypatch.setenv("LOG_LEVEL", "hunter2")
    with pytest.raises(SettingsError) as refused:
        load(Composed)
    assert "LOG_LEVEL" in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_half_of_the_tls_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRPC_TLS_CERT", "/nowhere.pem")
    with pytest.raises(SettingsError, match="GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA together"):
        load(GrpcServerSettings)


def test_every_variable_is_described() -> None:
    rows = describe(Composed)
    assert {"DATABASE_URL", "NATS_URL", "GRPC_LISTEN", "LOG_LEVEL"} <= {row.variable for row in rows}
    assert [row.variable for row in rows if not row.description] == []
    assert {row.variable for row in rows if row.default is None} == {"DATABASE_URL", "NATS_URL"}


@pytest.mark.parametrize("address", ["localhost", ":80", "host:", "host:http", "host:65536"])
def test_an_address_without_a_usable_port_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        split_listen(address)


def test_an_ipv6_address_is_understood() -> None:
    assert split_listen("[::1]:50051") == ("::1", 50051)
