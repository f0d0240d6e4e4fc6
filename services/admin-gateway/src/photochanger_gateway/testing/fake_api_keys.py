"""API keys that keep the contract of `protos/` in memory."""

from typing import Final
from uuid import uuid4

from photochanger.ingest.v1 import api_key_service_pb2, api_key_service_pb2_grpc
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ErrorKind

from photochanger_gateway.adapters.clients.translate import timestamp
from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.script import Script, page_of

ALL_SCOPES: Final = (
    api_key_service_pb2.API_SCOPE_JOBS_WRITE,
    api_key_service_pb2.API_SCOPE_JOBS_READ,
    api_key_service_pb2.API_SCOPE_WEBHOOKS_MANAGE,
)


class FakeApiKeys(api_key_service_pb2_grpc.ApiKeyServiceServicer):
    """Keeps keys in memory."""

    def __init__(self, clock: Clock) -> None:
        self.script = Script()
        self.clock = clock
        self.keys: dict[str, api_key_service_pb2.ApiKey] = {}
        """By the key itself, the oldest first."""

    def add(
        self,
        *,
        client_id: str = "",
        scopes: tuple[api_key_service_pb2.ApiScope.ValueType, ...] = ALL_SCOPES,
        name: str = "Books",
        by: str = "serg",
    ) -> str:
        """Makes a key and returns it."""
        secret = f"pc_{len(self.keys):043d}"
        key_id = uuid4().hex
        self.keys[secret] = api_key_service_pb2.ApiKey(
            id=key_id,
            name=name,
            client_id=client_id or key_id,
            scopes=scopes,
            last_four=secret[-4:],
            created_at=timestamp(self.clock.now()),
            created_by=by,
        )
        return secret

    async def CreateApiKey(  # noqa: N802 - gRPC's names, here and below
        self, request: api_key_service_pb2.CreateApiKeyRequest, context: object
    ) -> api_key_service_pb2.CreateApiKeyResponse:
        """See the proto."""
        await self.script.enter("CreateApiKey", request)
        if request.client_id and not any(key.client_id == request.client_id for key in self.keys.values()):
            raise a_refusal("API_CLIENT_NOT_FOUND", ErrorKind.NOT_FOUND)
        secret = self.add(
            client_id=request.client_id,
            scopes=tuple(request.scopes),
            name=request.name,
            by=request.created_by,
        )
        return api_key_service_pb2.CreateApiKeyResponse(api_key=self.keys[secret], key=secret)

    async def ListApiKeys(  # noqa: N802
        self, request: api_key_service_pb2.ListApiKeysRequest, context: object
    ) -> api_key_service_pb2.ListApiKeysResponse:
        """See the proto."""
        await self.script.enter("ListApiKeys", request)
        newest_first = list(reversed(self.keys.values()))
        keys, token = page_of(newest_first, request.page_size or 50, request.page_token)
        return api_key_service_pb2.ListApiKeysResponse(api_keys=keys, next_page_token=token)

    async def RevokeApiKey(  # noqa: N802
        self, request: api_key_service_pb2.RevokeApiKeyRequest, context: object
    ) -> api_key_service_pb2.RevokeApiKeyResponse:
        """See the proto."""
        await self.script.enter("RevokeApiKey", request)
        for key in self.keys.values():
            if key.id == request.api_key_id:
                if not key.HasField("revoked_at"):
                    key.revoked_at.CopyFrom(timestamp(self.clock.now()))
                    key.revoked_by = request.revoked_by
                return api_key_service_pb2.RevokeApiKeyResponse(api_key=key)
        raise a_refusal("API_KEY_NOT_FOUND", ErrorKind.NOT_FOUND)

    async def VerifyApiKey(  # noqa: N802
        self, request: api_key_service_pb2.VerifyApiKeyRequest, context: object
    ) -> api_key_service_pb2.VerifyApiKeyResponse:
        """See the proto."""
        await self.script.enter("VerifyApiKey", request)
        key = self.keys.get(request.key)
        if key is None or key.HasField("revoked_at"):
            raise a_refusal("INVALID_API_KEY", ErrorKind.UNAUTHENTICATED)
        return api_key_service_pb2.VerifyApiKeyResponse(api_key=key)
