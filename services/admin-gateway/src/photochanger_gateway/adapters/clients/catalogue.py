"""The providers and their keys, which the providers service owns, over gRPC."""

from typing import Final

import grpc.aio
from photochanger.providers.v1 import catalogue_service_pb2, key_service_pb2, provider_pb2
from photochanger.providers.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from photochanger.providers.v1.key_service_pb2_grpc import KeyServiceStub
from photochanger_chassis.errors import FieldViolation, InvalidArgument, RemoteError
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.domain.configuration import KeySource, ProviderKey
from photochanger_gateway.domain.providers import (
    Operation,
    Provider,
    ProviderHealth,
    ProviderState,
    TemplateRole,
)
from photochanger_gateway.domain.refusals import InvalidChange

_QUICK_SECONDS: Final = 5.0
_MOST: Final = 100
_SOURCES: Final = {
    key_service_pb2.KEY_SOURCE_ENVIRONMENT: KeySource.ENVIRONMENT,
    key_service_pb2.KEY_SOURCE_STORED: KeySource.STORED,
}
# A state we do not know yet counts as degraded, as the contract says.
_STATES: Final = {
    provider_pb2.PROVIDER_HEALTH_STATE_HEALTHY: ProviderState.HEALTHY,
    provider_pb2.PROVIDER_HEALTH_STATE_NOT_CONFIGURED: ProviderState.NOT_CONFIGURED,
}


class GrpcCatalogue:
    """Keeps the promises of `application.ports_admin.Catalogue`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._catalogue = CatalogueServiceStub(channel)
        self._keys = KeyServiceStub(channel)

    async def list(self) -> tuple[Provider, ...]:
        """See the port. There are fewer than a page holds."""
        request = catalogue_service_pb2.ListProvidersRequest(page_size=_MOST)
        with translate_rpc_errors():
            answer = await self._catalogue.ListProviders(request, timeout=_QUICK_SECONDS)
        return tuple(_provider(item) for item in answer.providers)

    async def keys(self) -> tuple[ProviderKey, ...]:
        """See the port. There are fewer than a page holds."""
        request = key_service_pb2.ListProviderKeysRequest(page_size=_MOST)
        with translate_rpc_errors():
            answer = await self._keys.ListProviderKeys(request, timeout=_QUICK_SECONDS)
        return tuple(_key(item) for item in answer.keys)

    async def set_key(self, provider: str, key: str, *, by: str) -> None:
        """See the port."""
        request = key_service_pb2.SetProviderKeyRequest(provider_id=provider, key=key, updated_by=by)
        try:
            with translate_rpc_errors():
                await self._keys.SetProviderKey(request, timeout=_QUICK_SECONDS)
        except RemoteError as error:
            raise _refused(error, provider) from error

    async def delete_key(self, provider: str) -> None:
        """See the port."""
        request = key_service_pb2.DeleteProviderKeyRequest(provider_id=provider)
        try:
            with translate_rpc_errors():
                await self._keys.DeleteProviderKey(request, timeout=_QUICK_SECONDS)
        except RemoteError as error:
            raise _refused(error, provider) from error


def _refused(error: RemoteError, provider: str) -> Exception:
    if error.reason == "PROVIDER_NOT_FOUND":
        words = "there is no such provider, or it needs no key"
    elif error.reason == InvalidArgument.reason:
        words = "8 to 512 printable ASCII characters"
    else:
        return error
    return InvalidChange((FieldViolation(f"provider_keys.{provider}", words),))


def _provider(message: provider_pb2.Provider) -> Provider:
    checked = message.health.HasField("checked_at")
    return Provider(
        id=message.id,
        title=message.title,
        operations=tuple(
            Operation(
                item.id,
                item.title,
                translate.json_object(item.settings_schema_json),
                tuple(
                    TemplateRole(role.id, role.title, role.required, role.max_count)
                    for role in item.template_roles
                ),
            )
            for item in message.operations
        ),
        configured=message.configured,
        requires_public_media=message.requires_public_media,
        health=ProviderHealth(
            _STATES.get(message.health.state, ProviderState.DEGRADED),
            message.health.detail,
            translate.instant(message.health.checked_at) if checked else None,
        ),
    )


def _key(message: key_service_pb2.ProviderKey) -> ProviderKey:
    return ProviderKey(
        provider=message.provider_id,
        source=_SOURCES.get(message.source),
        last_four=message.last_four,
        updated_at=translate.instant(message.updated_at) if message.HasField("updated_at") else None,
        updated_by=message.updated_by,
    )
