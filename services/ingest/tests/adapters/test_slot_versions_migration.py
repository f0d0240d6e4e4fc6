"""The revision that began to keep versions, on a database that has been in use."""

import asyncio
import importlib
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy
from alembic.migration import MigrationContext
from alembic.operations import Operations
from photochanger.ingest.v1 import slot_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger.providers.v1 import processing_service_pb2
from photochanger_ingest.testing.admin import get_slot, restore, update_slot, versions_of
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from photochanger_ingest.testing.camera import Camera

    from .conftest import Platform


def take_back_and_apply_again(database_url: str) -> None:
    """Runs both directions of the revision."""
    revision = importlib.import_module("photochanger_ingest.migrations.versions.r0003_slot_versions")
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database_url), poolclass=NullPool
    )
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        revision.downgrade()
        tables = sqlalchemy.inspect(connection).get_table_names()
        assert "slot_versions" not in tables
        assert "slots" in tables
        revision.upgrade()


async def test_slots_of_before_have_their_first_version(platform: "Platform", camera: "Camera") -> None:
    platform.outside.media.kinds |= dict.fromkeys(("t1", "t2"), media_object_pb2.MEDIA_KIND_TEMPLATE)
    changed = slot_pb2.Slot(
        id="slot-001",
        display_name="Größe",
        settings_json='{"prompt": "ein Anzug", "strength": 0.25}',
        templates=[
            processing_service_pb2.TemplateMedia(media_object_id=name, role="style") for name in ("t2", "t1")
        ],
        response_mode=slot_pb2.RESPONSE_MODE_MULTIPART,
        on_failure=slot_pb2.FAILURE_MODE_ORIGINAL,
        late_results=slot_pb2.LATE_RESULTS_KEEP,
        output_format=processing_service_pb2.OUTPUT_FORMAT_WEBP,
        dedupe=False,
        running_limit=3,
        queue_length=0,
        size_limit_bytes=2_000_000,
    )
    changed.sync_response.FromMilliseconds(10_500)
    fields = ("active", *(field.name for field, _ in changed.ListFields() if field.name != "id"))
    await update_slot(camera, changed, *fields)
    await update_slot(camera, slot_pb2.Slot(id="slot-001"), password="only for this slot")
    before = await get_slot(camera)
    await asyncio.to_thread(take_back_and_apply_again, platform.database_url)
    [first] = await versions_of(camera)
    assert (first.slot, list(first.changed_fields), first.restored_from) == (before, [], 0)
    assert first.slot.own_password
    [untouched] = await versions_of(camera, "slot-002")
    assert untouched.slot == await get_slot(camera, "slot-002")
    assert not untouched.slot.own_password
    # It is as good as one that was written since.
    other = slot_pb2.Slot(
        id="slot-001",
        display_name="Other",
        provider_id="local",
        operation_id="comic",
        size_limit_bytes=15 * 1_048_576,
    )
    await update_slot(camera, other, *fields)
    restored = await restore(camera, before.version)
    for message in (restored, before):
        message.ClearField("version")
        message.ClearField("updated_at")
        message.ClearField("updated_by")
    assert restored == before
