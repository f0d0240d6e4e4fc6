"""The keys of API clients, which ingest owns, over gRPC."""

from typing import Final

import grpc.aio
from photochanger.ingest.v1 import api_key_service_pb2
from photochanger.ingest.v1.api_key_service_pb2_grpc import ApiKeyServiceStub
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.adapters.clients.changes import translate_change_errors
from photochanger_gateway.application.ports_admin import Page, PageRequest
from photochanger_gateway.domain.clients import ApiKey, NewKey, Scope

_QUICK_SECONDS: Final = 5.0
# A scope we do not know opens none of our routes.
_SCOPES: Final = {
    api_key_service_pb2.API_SCOPE_JOBS_WRITE: Scope.JOBS_WRITE,
    api_key_service_pb2.API_SCOPE_JOBS_READ: Scope.JOBS_READ,
    api_key_service_pb2.API_SCOPE_WEBHOOKS_MANAGE: Scope.WEBHOOKS_MANAGE,
}
_SCOPES_BACK: Final = {ours: theirs for theirs, ours in _SCOPES.items()}


class GrpcApiKeys:
    """Keeps the promises of `application.ports_clients.ApiKeys`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._keys = ApiKeyServiceStub(channel)

    async def create(self, name: str, scopes: frozenset[Scope], *, client_id: str, by: str) -> NewKey:
        """See the port."""
        request = api_key_service_pb2.CreateApiKeyRequest(
            name=name,
            scopes=sorted(_SCOPES_BACK[scope] for scope in scopes),
            created_by=by,
            client_id=client_id,
        )
        with translate_change_errors():
            answer = await self._keys.CreateApiKey(request, timeout=_QUICK_SECONDS)
        return NewKey(_key(answer.api_key), answer.key)

    async def list(self, page: PageRequest) -> Page[ApiKey]:
        """See the port."""
        request = api_key_service_pb2.ListApiKeysRequest(page_size=page.size, page_token=page.cursor)
        with translate_rpc_errors():
            answer = await self._keys.ListApiKeys(request, timeout=_QUICK_SECONDS)
        return Page(tuple(_key(item) for item in answer.api_keys), answer.next_page_token)

    async def revoke(self, key_id: str, *, by: str) -> ApiKey:
        """See the port."""
        request = api_key_service_pb2.RevokeApiKeyRequest(api_key_id=key_id, revoked_by=by)
        with translate_rpc_errors():
            answer = await self._keys.RevokeApiKey(request, timeout=_QUICK_SECONDS)
        return _key(answer.api_key)

    async def verify(self, secret: str) -> ApiKey:
        """See the port."""
        request = api_key_service_pb2.VerifyApiKeyRequest(key=secret)
        with translate_rpc_errors():
            answer = await self._keys.VerifyApiKey(request, timeout=_QUICK_SECONDS)
        return _key(answer.api_key)


def _key(message: api_key_service_pb2.ApiKey) -> ApiKey:
    return ApiKey(
        id=message.id,
        name=message.name,
        client_id=message.client_id,
        scopes=frozenset(_SCOPES[scope] for scope in message.scopes if scope in _SCOPES),
        last_four=message.last_four,
        created_at=translate.instant(message.created_at),
        created_by=message.created_by,
        revoked_at=translate.some_instant(message, "revoked_at"),
        revoked_by=message.revoked_by,
        last_used_at=translate.some_instant(message, "last_used_at"),
    )
