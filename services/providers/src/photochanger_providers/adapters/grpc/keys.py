"""`KeyService`."""

from photochanger.providers.v1 import key_service_pb2 as messages
from photochanger.providers.v1.key_service_pb2_grpc import KeyServiceServicer

from photochanger_providers.adapters.grpc.fields import Context, page
from photochanger_providers.adapters.outcome_codec import timestamp
from photochanger_providers.application.provider_keys import KeyDescription, KeyRing, KeySource

_SOURCES: dict[KeySource, messages.KeySource.ValueType] = {
    KeySource.NONE: messages.KEY_SOURCE_UNSPECIFIED,
    KeySource.ENVIRONMENT: messages.KEY_SOURCE_ENVIRONMENT,
    KeySource.STORED: messages.KEY_SOURCE_STORED,
}


class KeyServicer(KeyServiceServicer):
    """Translates calls to `KeyRing`. A key goes in and never comes out."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def ListProviderKeys(  # noqa: N802 - named by the proto
        self,
        request: messages.ListProviderKeysRequest,
        context: Context,
    ) -> messages.ListProviderKeysResponse:
        """Tells which keys there are."""
        del context
        entries, token = page(
            await self._keys.describe_all(), page_size=request.page_size, page_token=request.page_token
        )
        return messages.ListProviderKeysResponse(
            keys=[_key(entry) for entry in entries], next_page_token=token
        )

    async def SetProviderKey(  # noqa: N802 - named by the proto
        self,
        request: messages.SetProviderKeyRequest,
        context: Context,
    ) -> messages.SetProviderKeyResponse:
        """Stores or replaces a key."""
        del context
        stored = await self._keys.store(request.provider_id, request.key, by=request.updated_by)
        return messages.SetProviderKeyResponse(key=_key(stored))

    async def DeleteProviderKey(  # noqa: N802 - named by the proto
        self,
        request: messages.DeleteProviderKeyRequest,
        context: Context,
    ) -> messages.DeleteProviderKeyResponse:
        """Removes a stored key."""
        del context
        return messages.DeleteProviderKeyResponse(key=_key(await self._keys.remove(request.provider_id)))


def _key(key: KeyDescription) -> messages.ProviderKey:
    return messages.ProviderKey(
        provider_id=key.provider_id,
        source=_SOURCES[key.source],
        last_four=key.last_four,
        updated_at=timestamp(key.updated_at) if key.updated_at is not None else None,
        updated_by=key.updated_by,
    )
