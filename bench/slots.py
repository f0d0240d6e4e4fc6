"""Sets the slots up for the benchmark, as an admin would."""

from __future__ import annotations

import asyncio
import json

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from photochanger.ingest.v1.slot_pb2 import Slot
from photochanger.ingest.v1.slot_service_pb2 import UpdateSlotRequest
from photochanger.ingest.v1.slot_service_pb2_grpc import SlotServiceStub

SLOTS = [f"slot-{number:03d}" for number in range(1, 16)]
PROMPT = "{{id}}"
"""The camera's number of the shot: it tells the provider's calls apart."""


def configure(ingest_target: str) -> None:
    """Has all 15 slots ask Gemini for an edit."""
    asyncio.run(_configure(ingest_target))


async def _configure(target: str) -> None:
    async with grpc.aio.insecure_channel(target) as channel:
        slots = SlotServiceStub(channel)
        for slot_id in SLOTS:
            slot = Slot(
                id=slot_id,
                active=True,
                provider_id="gemini",
                operation_id="image_edit",
                settings_json=json.dumps({"prompt": PROMPT}),
            )
            paths = ["active", "provider_id", "operation_id", "settings_json"]
            await slots.UpdateSlot(
                UpdateSlotRequest(slot=slot, update_mask=FieldMask(paths=paths), updated_by="bench"),
                timeout=10,
            )
