"""Reads and changes slots through the services, as the command line needs it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from google.protobuf.field_mask_pb2 import FieldMask
from photochanger.ingest.v1 import slot_pb2, slot_service_pb2
from photochanger.ingest.v1.slot_service_pb2_grpc import SlotServiceStub
from photochanger.media.v1 import media_object_pb2, media_service_pb2
from photochanger.media.v1.media_service_pb2_grpc import MediaServiceStub
from photochanger.providers.v1 import catalogue_service_pb2, processing_service_pb2
from photochanger.providers.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from photochanger_chassis.grpc.channel import open_channel
from photochanger_chassis.grpc.errors import translate_rpc_errors
from photochanger_chassis.settings import GrpcTlsSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

    import grpc.aio
    from photochanger.providers.v1 import provider_pb2

_SECONDS: Final = 10.0
_UPLOAD_SECONDS: Final = 60.0
_CHUNK_BYTES: Final = 256 * 1024


class MissingTarget(Exception):
    """A service's address is not known."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Addresses of the services, `host:port`."""

    ingest: str
    providers: str
    media: str

    @classmethod
    def of(cls, known: Mapping[str, str]) -> Targets:
        """Reads INGEST_TARGET, PROVIDERS_TARGET and MEDIA_TARGET.

        Raises:
            MissingTarget: one is not set.
        """
        try:
            return cls(known["INGEST_TARGET"], known["PROVIDERS_TARGET"], known["MEDIA_TARGET"])
        except KeyError as error:
            raise MissingTarget(f"{error.args[0]} is not known") from error


async def list_slots(targets: Targets) -> Sequence[slot_pb2.Slot]:
    """Returns all slots by id. Raises `ServiceError`, as all here do."""
    async with _channel(targets.ingest) as channel:
        with translate_rpc_errors():
            answer = await SlotServiceStub(channel).ListSlots(
                slot_service_pb2.ListSlotsRequest(), timeout=_SECONDS
            )
    return answer.slots


async def update_slot(
    targets: Targets,
    slot: slot_pb2.Slot,
    fields: Sequence[str],
    *,
    password: str | None,
    updated_by: str,
) -> slot_pb2.Slot:
    """Changes the named fields of a slot, and its own ingest password unless None; returns it."""
    request = slot_service_pb2.UpdateSlotRequest(
        slot=slot, update_mask=FieldMask(paths=fields), ingest_password=password, updated_by=updated_by
    )
    async with _channel(targets.ingest) as channel:
        with translate_rpc_errors():
            answer = await SlotServiceStub(channel).UpdateSlot(request, timeout=_SECONDS)
    return answer.slot


async def list_providers(targets: Targets) -> Sequence[provider_pb2.Provider]:
    """Returns all providers with their operations."""
    async with _channel(targets.providers) as channel:
        with translate_rpc_errors():
            answer = await CatalogueServiceStub(channel).ListProviders(
                catalogue_service_pb2.ListProvidersRequest(), timeout=_SECONDS
            )
    return answer.providers


async def upload_template(
    targets: Targets, slot_id: str, role: str, path: Path
) -> processing_service_pb2.TemplateMedia:
    """Stores a template image; returns what binds it to a slot."""
    header = media_service_pb2.UploadHeader(kind=media_object_pb2.MEDIA_KIND_TEMPLATE, slot_id=slot_id)

    def messages() -> Iterator[media_service_pb2.UploadRequest]:
        yield media_service_pb2.UploadRequest(header=header)
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield media_service_pb2.UploadRequest(chunk=chunk)

    async with _channel(targets.media) as channel:
        with translate_rpc_errors():
            answer = await MediaServiceStub(channel).Upload(messages(), timeout=_UPLOAD_SECONDS)
    return processing_service_pb2.TemplateMedia(media_object_id=answer.media_object.id, role=role)


@asynccontextmanager
async def _channel(target: str) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(target, GrpcTlsSettings()) as channel:
        yield channel
