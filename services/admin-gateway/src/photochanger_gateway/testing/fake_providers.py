"""Providers and their keys that keep the contract of `protos/` in memory."""

import json

from photochanger.providers.v1 import (
    catalogue_service_pb2,
    catalogue_service_pb2_grpc,
    key_service_pb2,
    key_service_pb2_grpc,
    provider_pb2,
)
from photochanger_chassis.errors import ErrorKind

from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.script import Script


class FakeProviders(
    catalogue_service_pb2_grpc.CatalogueServiceServicer, key_service_pb2_grpc.KeyServiceServicer
):
    """Two providers: `local`, which needs no key, and `gemini`. Reports the health it is told."""

    def __init__(self) -> None:
        self.script = Script()
        self.states = {
            "local": provider_pb2.PROVIDER_HEALTH_STATE_HEALTHY,
            "gemini": provider_pb2.PROVIDER_HEALTH_STATE_NOT_CONFIGURED,
        }
        self.schemas = {
            "local": {"type": "object", "properties": {"radius": {"type": "integer", "minimum": 1}}},
            "gemini": {
                "type": "object",
                "properties": {"prompt": {"type": "string"}},
                "required": ["prompt"],
            },
        }
        self.keys: dict[str, tuple[str, str]] = {}
        """Key and who stored it, by provider."""

    async def CheckHealth(  # noqa: N802 - gRPC's names, here and below
        self, request: catalogue_service_pb2.CheckHealthRequest, context: object
    ) -> catalogue_service_pb2.CheckHealthResponse:
        """See the proto."""
        await self.script.enter("CheckHealth", request)
        return catalogue_service_pb2.CheckHealthResponse(
            reports=[
                catalogue_service_pb2.ProviderReport(
                    provider_id=name, health=provider_pb2.ProviderHealth(state=state)
                )
                for name, state in self.states.items()
            ]
        )

    async def ListProviders(  # noqa: N802
        self, request: catalogue_service_pb2.ListProvidersRequest, context: object
    ) -> catalogue_service_pb2.ListProvidersResponse:
        """See the proto."""
        await self.script.enter("ListProviders", request)
        return catalogue_service_pb2.ListProvidersResponse(
            providers=[
                provider_pb2.Provider(
                    id=name,
                    title=name.title(),
                    operations=[
                        provider_pb2.Operation(
                            id="edit",
                            title="Edit",
                            settings_schema_json=json.dumps(self.schemas[name]),
                            template_roles=[
                                provider_pb2.TemplateRole(id="background", title="Background", max_count=1)
                            ],
                        )
                    ],
                    configured=name == "local" or name in self.keys,
                    health=provider_pb2.ProviderHealth(state=state),
                )
                for name, state in sorted(self.states.items())
            ]
        )

    async def ListProviderKeys(  # noqa: N802
        self, request: key_service_pb2.ListProviderKeysRequest, context: object
    ) -> key_service_pb2.ListProviderKeysResponse:
        """See the proto."""
        await self.script.enter("ListProviderKeys", request)
        return key_service_pb2.ListProviderKeysResponse(keys=[self._key("gemini")])

    async def SetProviderKey(  # noqa: N802
        self, request: key_service_pb2.SetProviderKeyRequest, context: object
    ) -> key_service_pb2.SetProviderKeyResponse:
        """See the proto."""
        await self.script.enter("SetProviderKey", request)
        self._must_have_key(request.provider_id)
        self.keys[request.provider_id] = (request.key, request.updated_by)
        return key_service_pb2.SetProviderKeyResponse(key=self._key(request.provider_id))

    async def DeleteProviderKey(  # noqa: N802
        self, request: key_service_pb2.DeleteProviderKeyRequest, context: object
    ) -> key_service_pb2.DeleteProviderKeyResponse:
        """See the proto."""
        await self.script.enter("DeleteProviderKey", request)
        self._must_have_key(request.provider_id)
        self.keys.pop(request.provider_id, None)
        return key_service_pb2.DeleteProviderKeyResponse(key=self._key(request.provider_id))

    def _must_have_key(self, provider_id: str) -> None:
        if provider_id != "gemini":
            raise a_refusal("PROVIDER_NOT_FOUND", ErrorKind.NOT_FOUND, providerId=provider_id)

    def _key(self, provider_id: str) -> key_service_pb2.ProviderKey:
        if provider_id not in self.keys:
            return key_service_pb2.ProviderKey(provider_id=provider_id)
        key, by = self.keys[provider_id]
        return key_service_pb2.ProviderKey(
            provider_id=provider_id,
            source=key_service_pb2.KEY_SOURCE_STORED,
            last_four=key[-4:],
            updated_by=by,
        )
