"""The platform's settings, which ingest owns, over gRPC."""

from datetime import timedelta
from typing import Final

import grpc.aio
from google.protobuf.field_mask_pb2 import FieldMask
from photochanger.ingest.v1 import settings_service_pb2
from photochanger.ingest.v1.settings_service_pb2_grpc import SettingsServiceStub
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.adapters.clients.changes import translate_change_errors
from photochanger_gateway.domain.configuration import (
    HashPolicy,
    Limits,
    PlatformSettings,
    SettingsEdit,
)
from photochanger_gateway.domain.slots import Switch

_QUICK_SECONDS: Final = 5.0
_CHANGE_SECONDS: Final = 10.0
"""A change may hash a password."""
_POLICIES: Final = {
    HashPolicy.WARN: settings_service_pb2.HASH_POLICY_WARN,
    HashPolicy.ENFORCE: settings_service_pb2.HASH_POLICY_ENFORCE,
    HashPolicy.IGNORE: settings_service_pb2.HASH_POLICY_IGNORE,
}
_POLICIES_BACK: Final = {theirs: ours for ours, theirs in _POLICIES.items()}


class GrpcConfiguration:
    """Keeps the promises of `application.ports_admin.Configuration`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._settings = SettingsServiceStub(channel)

    async def get(self) -> PlatformSettings:
        """See the port."""
        with translate_rpc_errors():
            answer = await self._settings.GetSettings(
                settings_service_pb2.GetSettingsRequest(), timeout=_QUICK_SECONDS
            )
        return _settings(answer.settings)

    async def update(
        self, edit: SettingsEdit, limits: Limits | None, *, expected_version: int, by: str
    ) -> PlatformSettings:
        """See the port."""
        changed = settings_service_pb2.Settings()
        paths = []
        if edit.sync_response_seconds is not None:
            changed.sync_response.FromTimedelta(timedelta(seconds=edit.sync_response_seconds))
            paths.append("sync_response")
        if edit.result_ttl_hours is not None:
            changed.result_retention.FromTimedelta(timedelta(hours=edit.result_ttl_hours))
            paths.append("result_retention")
        if edit.hash_policy is not None:
            changed.hash_policy = _POLICIES[edit.hash_policy]
            paths.append("hash_policy")
        if edit.dedupe is not None:
            changed.dedupe = edit.dedupe is Switch.ON
            paths.append("dedupe")
        if limits is not None:
            changed.limits.slot_running = limits.slot_running
            changed.limits.slot_queue = limits.slot_queue
            changed.limits.provider_running.update(limits.provider_running)
            paths.append("limits")
        request = settings_service_pb2.UpdateSettingsRequest(
            settings=changed,
            update_mask=FieldMask(paths=paths),
            ingest_password=edit.password,
            expected_version=expected_version,
            updated_by=by,
        )
        with translate_change_errors():
            answer = await self._settings.UpdateSettings(request, timeout=_CHANGE_SECONDS)
        return _settings(answer.settings)


def _settings(message: settings_service_pb2.Settings) -> PlatformSettings:
    rotated = message.HasField("ingest_password_rotated_at")
    return PlatformSettings(
        sync_response_seconds=message.sync_response.seconds,
        result_ttl_hours=int(message.result_retention.ToTimedelta() / timedelta(hours=1)),
        hash_policy=_POLICIES_BACK.get(message.hash_policy, HashPolicy.WARN),
        dedupe=translate.switch(message.dedupe),
        limits=Limits(
            message.limits.slot_running,
            message.limits.slot_queue,
            dict(message.limits.provider_running),
        ),
        ingest_password_rotated_at=translate.instant(message.ingest_password_rotated_at) if rotated else None,
        ingest_password_rotated_by=message.ingest_password_rotated_by,
        version=message.version,
    )
