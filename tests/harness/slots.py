"""Changes slots and settings as an admin would, through ingest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from photochanger.ingest.v1 import (
    settings_service_pb2,
    settings_service_pb2_grpc,
    slot_pb2,
    slot_service_pb2,
    slot_service_pb2_grpc,
)
from photochanger.media.v1 import media_object_pb2, media_service_pb2, media_service_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_SECONDS = 10.0
PROMPT = "Make it snow. {{shot}} {{id}}"
"""Names the request in the prompt, so that a provider's log tells whose call it was."""
ALL_SLOTS = tuple(f"slot-{number:03d}" for number in range(1, 16))


_CONFIGURED = (
    "active",
    "provider_id",
    "operation_id",
    "settings_json",
    "templates",
    "sync_response",
    "response_mode",
    "on_failure",
    "late_results",
    "dedupe",
    "running_limit",
    "queue_length",
    "output_format",
)


def a_plan(provider_id: str, operation_id: str, **settings: object) -> slot_pb2.Slot:
    """An active slot that asks this of a provider."""
    return slot_pb2.Slot(
        active=True, provider_id=provider_id, operation_id=operation_id, settings_json=json.dumps(settings)
    )


def gemini(prompt: str = PROMPT) -> slot_pb2.Slot:
    """An active slot that has Gemini edit its photos."""
    return a_plan("gemini", "image_edit", prompt=prompt, no_image_pause_seconds=0)


class Admin:
    """Calls of the admin. An async context manager."""

    def __init__(self, *, ingest: str, media: str) -> None:
        self._ingest, self._media = ingest, media

    async def __aenter__(self) -> Self:
        self._channels = (grpc.aio.insecure_channel(self._ingest), grpc.aio.insecure_channel(self._media))
        self._slots = slot_service_pb2_grpc.SlotServiceStub(self._channels[0])
        self._settings = settings_service_pb2_grpc.SettingsServiceStub(self._channels[0])
        self._pictures = media_service_pb2_grpc.MediaServiceStub(self._channels[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        for channel in self._channels:
            await channel.close()

    async def use(self, slot_id: str, *parts: slot_pb2.Slot) -> slot_pb2.Slot:
        """Gives a slot what `parts` say, later ones over earlier; the rest is as in a new installation."""
        slot = slot_pb2.Slot()
        for part in parts:
            slot.MergeFrom(part)
        slot.id = slot_id
        request = slot_service_pb2.UpdateSlotRequest(
            slot=slot, update_mask=FieldMask(paths=_CONFIGURED), updated_by="tests"
        )
        return (await self._slots.UpdateSlot(request, timeout=_SECONDS)).slot

    async def slot(self, slot_id: str) -> slot_pb2.Slot:
        """A slot as it is saved."""
        request = slot_service_pb2.GetSlotRequest(slot_id=slot_id)
        return (await self._slots.GetSlot(request, timeout=_SECONDS)).slot

    async def change_settings(self, settings: settings_service_pb2.Settings, *fields: str) -> None:
        """Changes the platform's settings named in `fields`."""
        request = settings_service_pb2.UpdateSettingsRequest(
            settings=settings, update_mask=FieldMask(paths=fields), updated_by="tests"
        )
        await self._settings.UpdateSettings(request, timeout=_SECONDS)

    async def settings(self) -> settings_service_pb2.Settings:
        """The platform's settings."""
        request = settings_service_pb2.GetSettingsRequest()
        return (await self._settings.GetSettings(request, timeout=_SECONDS)).settings

    async def add_template(self, slot_id: str, picture: bytes) -> str:
        """Stores a template image; returns its id."""

        async def messages() -> AsyncIterator[media_service_pb2.UploadRequest]:
            header = media_service_pb2.UploadHeader(
                kind=media_object_pb2.MEDIA_KIND_TEMPLATE, slot_id=slot_id
            )
            yield media_service_pb2.UploadRequest(header=header)
            yield media_service_pb2.UploadRequest(chunk=picture)

        answer = await self._pictures.Upload(messages(), timeout=_SECONDS)
        return answer.media_object.id

    async def sweep(self) -> None:
        """Has media clean up now."""
        await self._pictures.RunCleanup(media_service_pb2.RunCleanupRequest(), timeout=_SECONDS)
