"""`ApiKeyService`."""

from typing import Any, Final

import grpc
from photochanger.ingest.v1 import api_key_service_pb2, api_key_service_pb2_grpc

from photochanger_ingest.adapters.grpc.fields import invalid, page_size, page_token, position
from photochanger_ingest.adapters.messages import timestamp
from photochanger_ingest.application.api_keys import ApiKeys
from photochanger_ingest.domain.api_key import ApiKey, ApiScope
from photochanger_ingest.domain.ids import ApiKeyId, ClientId

_Context = grpc.aio.ServicerContext[Any, Any]

_SCOPES: Final = {
    ApiScope.JOBS_WRITE: api_key_service_pb2.API_SCOPE_JOBS_WRITE,
    ApiScope.JOBS_READ: api_key_service_pb2.API_SCOPE_JOBS_READ,
    ApiScope.WEBHOOKS_MANAGE: api_key_service_pb2.API_SCOPE_WEBHOOKS_MANAGE,
}
_SCOPES_BACK: Final = {number: scope for scope, number in _SCOPES.items()}


class ApiKeyServicer(api_key_service_pb2_grpc.ApiKeyServiceServicer):
    """Translates calls into use cases."""

    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys

    async def CreateApiKey(  # noqa: N802 - gRPC's name
        self, request: api_key_service_pb2.CreateApiKeyRequest, context: _Context
    ) -> api_key_service_pb2.CreateApiKeyResponse:
        """See the contract."""
        if any(number not in _SCOPES_BACK for number in request.scopes):
            raise invalid("scopes", "scopes of API keys")
        kept, key = await self._keys.create(
            name=request.name,
            scopes={_SCOPES_BACK[number] for number in request.scopes},
            created_by=request.created_by,
            client_id=ClientId(request.client_id) if request.client_id else None,
        )
        return api_key_service_pb2.CreateApiKeyResponse(api_key=_message(kept), key=key)

    async def ListApiKeys(  # noqa: N802 - gRPC's name
        self, request: api_key_service_pb2.ListApiKeysRequest, context: _Context
    ) -> api_key_service_pb2.ListApiKeysResponse:
        """See the contract."""
        page = await self._keys.list(
            limit=page_size(request.page_size, default=50, most=200), before=position(request.page_token)
        )
        return api_key_service_pb2.ListApiKeysResponse(
            api_keys=[_message(key) for key in page.items], next_page_token=page_token(page.next)
        )

    async def RevokeApiKey(  # noqa: N802 - gRPC's name
        self, request: api_key_service_pb2.RevokeApiKeyRequest, context: _Context
    ) -> api_key_service_pb2.RevokeApiKeyResponse:
        """See the contract."""
        revoked = await self._keys.revoke(ApiKeyId(request.api_key_id), revoked_by=request.revoked_by)
        return api_key_service_pb2.RevokeApiKeyResponse(api_key=_message(revoked))

    async def VerifyApiKey(  # noqa: N802 - gRPC's name
        self, request: api_key_service_pb2.VerifyApiKeyRequest, context: _Context
    ) -> api_key_service_pb2.VerifyApiKeyResponse:
        """See the contract."""
        return api_key_service_pb2.VerifyApiKeyResponse(
            api_key=_message(await self._keys.verify(request.key))
        )


def _message(key: ApiKey) -> api_key_service_pb2.ApiKey:
    return api_key_service_pb2.ApiKey(
        id=key.id,
        name=key.name,
        client_id=key.client_id,
        scopes=[number for scope, number in _SCOPES.items() if scope in key.scopes],
        last_four=key.last_four,
        created_at=timestamp(key.created_at),
        created_by=key.created_by,
        revoked_at=None if key.revoked_at is None else timestamp(key.revoked_at),
        revoked_by=key.revoked_by,
        last_used_at=None if key.last_used_at is None else timestamp(key.last_used_at),
    )
