"""`SettingsService`."""

from dataclasses import replace
from typing import Any, Final, TypeVar

import grpc
from photochanger.ingest.v1 import settings_service_pb2, settings_service_pb2_grpc

from photochanger_ingest.adapters.grpc.fields import invalid, masked, value_of
from photochanger_ingest.adapters.messages import HASH_POLICIES_BACK, settings_message
from photochanger_ingest.application.configure import Change, PlatformSettings
from photochanger_ingest.domain.ids import ProviderId
from photochanger_ingest.domain.settings import HashPolicy, Limits, Settings

_Value = TypeVar("_Value")
_Context = grpc.aio.ServicerContext[Any, Any]

_EDITABLE: Final = frozenset({"sync_response", "result_retention", "hash_policy", "dedupe", "limits"})


class SettingsServicer(settings_service_pb2_grpc.SettingsServiceServicer):
    """Translates calls into use cases."""

    def __init__(self, settings: PlatformSettings) -> None:
        self._settings = settings

    async def GetSettings(  # noqa: N802 - gRPC's name
        self, request: settings_service_pb2.GetSettingsRequest, context: _Context
    ) -> settings_service_pb2.GetSettingsResponse:
        """See the contract."""
        settings = await self._settings.get()
        return settings_service_pb2.GetSettingsResponse(settings=settings_message(settings))

    async def UpdateSettings(  # noqa: N802 - gRPC's name
        self, request: settings_service_pb2.UpdateSettingsRequest, context: _Context
    ) -> settings_service_pb2.UpdateSettingsResponse:
        """See the contract."""
        fields = masked(request.update_mask, _EDITABLE)
        password = request.ingest_password if request.HasField("ingest_password") else None
        if not fields and password is None:
            raise invalid("update_mask", "at least one field, or an ingest_password")
        saved = await self._settings.update(
            lambda settings: _edited(settings, request.settings, fields),
            Change(
                updated_by=request.updated_by, expected_version=request.expected_version, password=password
            ),
        )
        return settings_service_pb2.UpdateSettingsResponse(settings=settings_message(saved))


def _edited(settings: Settings, new: settings_service_pb2.Settings, fields: frozenset[str]) -> Settings:
    def taken(field: str, value: _Value, old: _Value) -> _Value:
        return value if field in fields else old

    policy = value_of(
        HASH_POLICIES_BACK, new.hash_policy, field="settings.hash_policy", unset=HashPolicy.WARN
    )
    limits = Limits(
        slot_running=new.limits.slot_running,
        slot_queue=new.limits.slot_queue,
        provider_running={ProviderId(name): limit for name, limit in new.limits.provider_running.items()},
    )
    return replace(
        settings,
        sync_response=taken("sync_response", new.sync_response.ToTimedelta(), settings.sync_response),
        result_retention=taken(
            "result_retention", new.result_retention.ToTimedelta(), settings.result_retention
        ),
        hash_policy=taken("hash_policy", policy, settings.hash_policy),
        dedupe=taken("dedupe", new.dedupe, settings.dedupe),
        limits=taken("limits", limits, settings.limits),
    )
