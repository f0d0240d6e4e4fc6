"""How webhooks are configured."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from photochanger_chassis.settings import SettingsError, load
from photochanger_ingest.domain.webhook import USUAL_PAUSES
from photochanger_ingest.settings import WebhookSettings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("RETRY_PAUSES", "TIMEOUT", "ALLOWED_NETWORKS"):
        monkeypatch.delenv(f"WEBHOOK_{name}", raising=False)
    monkeypatch.delenv("SECRETS_ENCRYPTION_KEY", raising=False)
    return monkeypatch


def test_nothing_has_to_be_set() -> None:
    settings = load(WebhookSettings)
    assert settings.webhook_retry_pauses == USUAL_PAUSES
    assert (settings.webhook_timeout, settings.webhook_allowed_networks) == (timedelta(seconds=15), ())


def test_lists_are_separated_by_commas(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("WEBHOOK_RETRY_PAUSES", "0.5, 2,60")
    environment.setenv("WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8, ::1/128")
    settings = load(WebhookSettings)
    assert [pause.total_seconds() for pause in settings.webhook_retry_pauses] == [0.5, 2, 60]
    assert settings.webhook_allowed_networks == (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBHOOK_RETRY_PAUSES", "5,soon"),
        ("WEBHOOK_RETRY_PAUSES", "-1"),
        ("WEBHOOK_RETRY_PAUSES", "9999999"),
        ("WEBHOOK_RETRY_PAUSES", ",".join(["1"] * 21)),
        ("WEBHOOK_ALLOWED_NETWORKS", "everything"),
        ("WEBHOOK_ALLOWED_NETWORKS", "10.0.0.1/8"),
        ("WEBHOOK_TIMEOUT", "0"),
        ("WEBHOOK_TIMEOUT", "61"),
        ("SECRETS_ENCRYPTION_KEY", "short"),
    ],
)
def test_what_makes_no_sense_keeps_the_service_from_starting(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load(WebhookSettings)
