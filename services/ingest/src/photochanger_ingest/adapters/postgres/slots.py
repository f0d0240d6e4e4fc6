"""Slots and settings inside a transaction."""

from collections.abc import Sequence
from typing import Final

from photochanger_chassis.postgres.pool import Connection
from psycopg.types.json import Jsonb

from photochanger_ingest.adapters.postgres.rows import (
    SETTINGS_COLUMNS,
    SLOT_COLUMNS,
    SLOT_WIDTH,
    settings_of,
    slot_of,
    snapshot_json,
)
from photochanger_ingest.domain.ids import MediaObjectId, SlotId
from photochanger_ingest.domain.settings import Settings
from photochanger_ingest.domain.slot import Slot
from photochanger_ingest.domain.slot_version import SlotVersion

# Advisory locks are per database; this one is ours alone.
_TEMPLATE_LOCK: Final = 0x74656D706C617465


class PostgresSlots:
    """The tables `slots`, `slot_templates`, `slot_versions` and `settings`."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def with_settings(self, slot_id: SlotId) -> tuple[Slot, Settings] | None:
        """Returns a slot and the settings as they are now."""
        cursor = await self._conn.execute(
            f"SELECT {SLOT_COLUMNS}, {SETTINGS_COLUMNS} FROM slots, settings WHERE slots.id = %s",  # noqa: S608 - columns are ours
            (slot_id,),
        )
        row = await cursor.fetchone()
        return None if row is None else (slot_of(row[:SLOT_WIDTH]), settings_of(row[SLOT_WIDTH:]))

    async def lock_slot(self, slot_id: SlotId) -> Slot | None:
        """Returns a slot that nobody else can change until the transaction ends."""
        cursor = await self._conn.execute(
            f"SELECT {SLOT_COLUMNS} FROM slots WHERE id = %s FOR NO KEY UPDATE",  # noqa: S608 - columns are ours
            (slot_id,),
        )
        row = await cursor.fetchone()
        return None if row is None else slot_of(row)

    async def save_slot(self, slot: Slot) -> None:
        """Stores a slot with its templates."""
        plan = slot.plan
        await self._conn.execute(
            """
            UPDATE slots SET
                display_name = %(display_name)s, active = %(active)s, version = %(version)s,
                provider_id = %(provider_id)s, operation_id = %(operation_id)s, settings = %(settings)s::jsonb,
                size_limit_bytes = %(size_limit_bytes)s, sync_response = %(sync_response)s,
                response_mode = %(response_mode)s, on_failure = %(on_failure)s, late_results = %(late_results)s,
                output_format = %(output_format)s, dedupe = %(dedupe)s, running_limit = %(running_limit)s,
                queue_length = %(queue_length)s, password_hash = %(password_hash)s,
                updated_at = %(updated_at)s, updated_by = %(updated_by)s
            WHERE id = %(id)s
            """,
            {
                "id": slot.id,
                "display_name": slot.display_name,
                "active": slot.active,
                "version": slot.version,
                "provider_id": plan.provider_id,
                "operation_id": plan.operation_id,
                "settings": plan.settings_json,
                "size_limit_bytes": slot.size_limit_bytes,
                "sync_response": slot.sync_response,
                "response_mode": slot.response_mode,
                "on_failure": plan.on_failure,
                "late_results": plan.late_results,
                "output_format": plan.output_format,
                "dedupe": slot.dedupe,
                "running_limit": slot.running_limit,
                "queue_length": slot.queue_length,
                "password_hash": slot.password_hash,
                "updated_at": slot.updated_at,
                "updated_by": slot.updated_by,
            },
        )
        await self._conn.execute("DELETE FROM slot_templates WHERE slot_id = %s", (slot.id,))
        for position, template in enumerate(plan.templates):
            await self._conn.execute(
                "INSERT INTO slot_templates (slot_id, position, media_object_id, role) VALUES (%s, %s, %s, %s)",
                (slot.id, position, template.media_object_id, template.role),
            )

    async def add_version(self, version: SlotVersion) -> None:
        """Stores what a slot has become."""
        await self._conn.execute(
            """
            INSERT INTO slot_versions
                (slot_id, version, snapshot, changed_fields, restored_from, updated_at, updated_by)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            (
                version.slot.id,
                version.slot.version,
                snapshot_json(version),
                list(version.changed_fields),
                version.restored_from,
                version.slot.updated_at,
                version.slot.updated_by,
            ),
        )

    async def lock_templates(self) -> None:
        """Keeps everybody else from binding and deleting templates until the transaction ends.

        A template's bytes are the media service's, so no foreign key watches over what slots name. Binding one asks
        media whether it is there, then commits; deleting one looks whether a slot names it, then tells media. Without
        the lock a slot could commit a template between the look and the deletion. Both hold it, and their connection,
        during their calls to media: milliseconds, and five seconds at most for each; admins do it, not cameras.
        """
        await self._conn.execute("SELECT pg_advisory_xact_lock(%s)", (_TEMPLATE_LOCK,))

    async def slots_with_template(self, media_object_id: MediaObjectId) -> Sequence[SlotId]:
        """Returns the slots that use a template now, by id."""
        cursor = await self._conn.execute(
            "SELECT DISTINCT slot_id FROM slot_templates WHERE media_object_id = %s ORDER BY slot_id",
            (media_object_id,),
        )
        return [SlotId(slot_id) for (slot_id,) in await cursor.fetchall()]

    async def lock_settings(self) -> Settings:
        """Returns the settings, which nobody else can change until the transaction ends."""
        cursor = await self._conn.execute(f"SELECT {SETTINGS_COLUMNS} FROM settings FOR NO KEY UPDATE")  # noqa: S608 - columns are ours
        row = await cursor.fetchone()
        if row is None:
            raise RuntimeError("The settings are missing; run migrate.")
        return settings_of(row)

    async def save_settings(self, settings: Settings) -> None:
        """Stores the settings."""
        await self._conn.execute(
            """
            UPDATE settings SET
                sync_response = %(sync_response)s, result_retention = %(result_retention)s,
                hash_policy = %(hash_policy)s, dedupe = %(dedupe)s, slot_running = %(slot_running)s,
                slot_queue = %(slot_queue)s, provider_running = %(provider_running)s, version = %(version)s,
                password_hash = %(password_hash)s, password_rotated_at = %(password_rotated_at)s,
                password_rotated_by = %(password_rotated_by)s
            """,
            {
                "sync_response": settings.sync_response,
                "result_retention": settings.result_retention,
                "hash_policy": settings.hash_policy,
                "dedupe": settings.dedupe,
                "slot_running": settings.limits.slot_running,
                "slot_queue": settings.limits.slot_queue,
                "provider_running": Jsonb(dict(settings.limits.provider_running)),
                "version": settings.version,
                "password_hash": settings.password_hash,
                "password_rotated_at": settings.password_rotated_at,
                "password_rotated_by": settings.password_rotated_by,
            },
        )
