"""The catalogue, the keys and the local driver, over the service's real interface."""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from photochanger.media.v1.media_object_pb2 import MEDIA_KIND_RESULT, MEDIA_KIND_TEMPLATE
from photochanger.providers.v1 import catalogue_service_pb2 as catalogue
from photochanger.providers.v1 import key_service_pb2 as keys
from photochanger.providers.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from photochanger.providers.v1.key_service_pb2_grpc import KeyServiceStub
from photochanger.providers.v1.provider_pb2 import (
    PROVIDER_HEALTH_STATE_DEGRADED,
    PROVIDER_HEALTH_STATE_HEALTHY,
    PROVIDER_HEALTH_STATE_NOT_CONFIGURED,
)
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.grpc.errors import translate_rpc_errors
from photochanger_providers.domain.errors import NetworkFailed, ProviderAuthFailed
from photochanger_providers.drivers import local
from photochanger_providers.testing.fake_media import FakeMedia
from photochanger_providers.testing.requests import a_request, blank, edited
from photochanger_providers.testing.scripted_driver import Script, answers, fails

MODELS = Path(__file__).parents[4] / ".local" / "models"  # filled by tools/models/fetch.py at set-up
SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CANARY = "canary-key-0123456789"
StartReplica = Callable[..., Coroutine[Any, Any, Any]]
_T = TypeVar("_T")


async def refusal(call: Awaitable[_T]) -> ServiceError:
    with pytest.raises(ServiceError) as caught, translate_rpc_errors():
        await call
    return caught.value


async def test_the_catalogue_tells_what_providers_can_do_and_how_they_do(start_replica: StartReplica) -> None:
    broken = Script(health=NetworkFailed("No connection to the provider."))
    replica = await start_replica(
        Script().entry(provider_id="alpha"),
        broken.entry(provider_id="beta"),
        Script().entry(provider_id="gamma", needs_key=True),
    )

    answer = await CatalogueServiceStub(replica.channel).ListProviders(
        catalogue.ListProvidersRequest(), timeout=5
    )

    assert [(each.id, each.configured, each.health.state) for each in answer.providers] == [
        ("alpha", True, PROVIDER_HEALTH_STATE_HEALTHY),
        ("beta", True, PROVIDER_HEALTH_STATE_DEGRADED),
        ("gamma", False, PROVIDER_HEALTH_STATE_NOT_CONFIGURED),
    ]
    assert [operation.id for operation in answer.providers[0].operations] == ["edit", "compose"]
    assert '"maxLength": 4000' in answer.providers[0].operations[0].settings_schema_json


async def test_the_catalogue_is_paged(start_replica: StartReplica) -> None:
    replica = await start_replica(*(Script().entry(provider_id=f"p{number}") for number in range(3)))
    stub = CatalogueServiceStub(replica.channel)

    first = await stub.ListProviders(catalogue.ListProvidersRequest(page_size=2), timeout=5)
    rest = await stub.ListProviders(
        catalogue.ListProvidersRequest(page_size=2, page_token=first.next_page_token), timeout=5
    )

    assert [each.id for each in [*first.providers, *rest.providers]] == ["p0", "p1", "p2"]
    assert not rest.next_page_token


async def test_settings_are_checked_field_by_field(start_replica: StartReplica) -> None:
    replica = await start_replica(Script().entry())
    stub = CatalogueServiceStub(replica.channel)

    filled = await stub.ValidateSettings(
        catalogue.ValidateSettingsRequest(
            provider_id="scripted", operation_id="edit", settings_json='{"prompt": "x"}'
        ),
        timeout=5,
    )
    error = await refusal(
        stub.ValidateSettings(
            catalogue.ValidateSettingsRequest(
                provider_id="scripted", operation_id="compose", settings_json='{"strength": 81, "colour": 1}'
            ),
            timeout=5,
        )
    )

    assert '"strength": 40' in filled.settings_json
    assert error.reason == "INVALID_SETTINGS"
    assert {violation.field for violation in error.field_violations} == {
        "settings.prompt",
        "settings.strength",
        "settings.colour",
        "template_roles",
    }


async def test_a_key_stored_on_one_replica_counts_on_the_next_call_of_another(
    start_replica: StartReplica,
    media: FakeMedia,
    portrait: bytes,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    script = Script(deque([answers(edited(portrait))]))
    one, other = [
        await start_replica(script.entry(needs_key=True), secrets_encryption_key=SECRET) for _ in range(2)
    ]
    photo = media.put(portrait)

    missing = await refusal(other.processing.Process(a_request(photo), timeout=20))
    stored = await KeyServiceStub(one.channel).SetProviderKey(
        keys.SetProviderKeyRequest(provider_id="scripted", key=CANARY, updated_by="admin"), timeout=5
    )
    await other.processing.Process(a_request(photo), timeout=20)
    listed = await KeyServiceStub(other.channel).ListProviderKeys(keys.ListProviderKeysRequest(), timeout=5)
    removed = await KeyServiceStub(other.channel).DeleteProviderKey(
        keys.DeleteProviderKeyRequest(provider_id="scripted"), timeout=5
    )

    assert missing.reason == "AUTH"
    assert [request.api_key for request in script.requests] == [CANARY]
    assert CANARY not in repr(script.requests)
    assert listed.keys[0] == stored.key
    assert (stored.key.source, stored.key.last_four) == (keys.KEY_SOURCE_STORED, "6789")
    assert removed.key.source == keys.KEY_SOURCE_UNSPECIFIED
    assert CANARY not in caplog.text
    assert CANARY not in "".join(capfd.readouterr())


async def test_a_new_key_closes_the_breaker_the_old_one_opened(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    script = Script(deque([fails(ProviderAuthFailed("refused")), answers(edited(portrait))]))
    replica = await start_replica(script.entry(needs_key=True), secrets_encryption_key=SECRET)
    stub, photo = KeyServiceStub(replica.channel), media.put(portrait)

    async def store(key: str) -> None:
        await stub.SetProviderKey(keys.SetProviderKeyRequest(provider_id="scripted", key=key), timeout=5)

    await store("the-wrong-key")
    first = await refusal(replica.processing.Process(a_request(photo), timeout=20))
    second = await refusal(replica.processing.Process(a_request(photo), timeout=20))
    await store("the-right-key")
    await replica.processing.Process(a_request(photo), timeout=20)

    assert [first.reason, second.reason] == ["AUTH", "PROVIDER_UNAVAILABLE"]


async def test_the_local_provider_edits_a_photo_on_this_machine(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes
) -> None:
    replica = await start_replica(local.DRIVER, local_models_dir=MODELS)
    request = a_request(
        media.put(portrait),
        provider_id="local",
        operation_id="background_image",
        settings_json="{}",
        templates=[(media.put(edited(portrait), kind=MEDIA_KIND_TEMPLATE), "background")],
    )

    result = await replica.processing.Process(request, timeout=20)

    ((about, content),) = media.of_job(request.job_id, MEDIA_KIND_RESULT)
    assert (about.width_px, about.height_px) == (512, 512)
    assert result.result.mime_type == "image/jpeg"
    assert content != portrait


async def test_the_local_provider_says_when_nobody_is_in_the_photo(
    start_replica: StartReplica, media: FakeMedia
) -> None:
    replica = await start_replica(local.DRIVER, local_models_dir=MODELS)

    error = await refusal(
        replica.processing.Process(
            a_request(
                media.put(blank()),
                provider_id="local",
                operation_id="background_blur",
                settings_json="{}",
            ),
            timeout=20,
        )
    )

    assert error.reason == "BAD_INPUT"
    assert "person" in error.message


async def test_the_local_provider_without_models_says_what_is_missing(
    start_replica: StartReplica, media: FakeMedia, portrait: bytes, tmp_path: Path
) -> None:
    replica = await start_replica(local.DRIVER, local_models_dir=tmp_path)

    health = await CatalogueServiceStub(replica.channel).CheckHealth(
        catalogue.CheckHealthRequest(), timeout=5
    )
    error = await refusal(
        replica.processing.Process(
            a_request(
                media.put(portrait),
                provider_id="local",
                operation_id="background_blur",
                settings_json="{}",
            ),
            timeout=20,
        )
    )

    assert health.reports[0].health.state == PROVIDER_HEALTH_STATE_DEGRADED
    assert error.reason == "CONFIG"
