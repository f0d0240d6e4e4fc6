"""The index of media objects in PostgreSQL. Each method is one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, LiteralString

from photochanger_chassis.postgres.pool import Connection, Pool, connection, transaction
from psycopg import sql
from psycopg.rows import dict_row

from photochanger_media.adapters.postgres.rows import COLUMNS, VALUES, from_row, from_rows, to_row
from photochanger_media.application.ports import Cursor, Filter, Remains, Usage
from photochanger_media.domain.media_object import (
    EndReason,
    JobId,
    MediaId,
    MediaKind,
    MediaObject,
    SlotId,
)

_SELECT: Final = sql.SQL("SELECT {} FROM media_objects ").format(COLUMNS)
_INSERT: Final = sql.SQL("INSERT INTO media_objects ({}) SELECT {}").format(COLUMNS, VALUES)
# One statement is one round trip, where a transaction of two takes four. The insertion waits for the count, so it
# comes after the update.
_INSERT_RESULT: Final = sql.SQL(
    "WITH replaced AS ("
    "UPDATE media_objects SET ended_at = %(created_at)s, end_reason = 'replaced' "
    "WHERE ended_at IS NULL AND job_id = %(job_id)s AND kind IN ('result', 'preview') RETURNING id"
    ") {} FROM (SELECT count(*) FROM replaced) AS done"
).format(_INSERT)
# Not waited for on the disk: a preview that a crash of PostgreSQL undoes is made again by a sweep.
_INSERT_PREVIEW: Final = sql.SQL(
    "WITH parent AS ("
    "UPDATE media_objects SET preview = 'made' FROM (SELECT set_config('synchronous_commit', 'off', true)) AS soon "
    "WHERE id = %(parent_id)s AND preview = 'wanted' AND ended_at IS NULL RETURNING id"
    ") {} FROM parent"
).format(_INSERT)
_Values = Mapping[str, object]


class PostgresMediaObjects:
    """Keeps `media_objects`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, media_object: MediaObject) -> None:
        """Adds an object. A result ends its job's former result and that one's preview, as replaced."""
        statement = _INSERT_RESULT if media_object.kind is MediaKind.RESULT else _INSERT
        async with connection(self._pool) as conn:
            await conn.execute(statement, to_row(media_object))

    async def add_preview(self, preview: MediaObject) -> bool:
        """Adds a preview and notes it with its parent; False when the parent is gone, or already has one."""
        async with connection(self._pool) as conn:
            added = await conn.execute(_INSERT_PREVIEW, to_row(preview))
            return added.rowcount == 1

    async def preview_failed(self, media_id: MediaId) -> None:
        """Notes that no preview can be made of an object."""
        async with connection(self._pool) as conn:
            await conn.execute("UPDATE media_objects SET preview = 'failed' WHERE id = %s", (media_id,))

    async def get(self, media_id: MediaId) -> MediaObject | None:
        """Returns an object or its tombstone."""
        return await self._one("WHERE id = %(id)s", {"id": media_id})

    async def preview_of(self, media_id: MediaId) -> MediaObject | None:
        """Returns the live preview of an object."""
        return await self._one(
            "WHERE parent_id = %(id)s AND kind = 'preview' AND ended_at IS NULL", {"id": media_id}
        )

    async def live_result(self, job_id: JobId) -> MediaObject | None:
        """Returns a job's result unless it has ended."""
        return await self._one(
            "WHERE job_id = %(id)s AND kind = 'result' AND ended_at IS NULL", {"id": job_id}
        )

    async def readable(
        self, wanted: Filter, *, now: datetime, limit: int, after: Cursor | None
    ) -> list[MediaObject]:
        """Lists what can be read now, newest first."""
        conditions: list[LiteralString] = [
            "ended_at IS NULL",
            "(expires_at IS NULL OR expires_at > %(now)s)",
        ]
        if wanted.kind is not None:
            conditions.append("kind = %(kind)s")
        if wanted.slot_id is not None:
            conditions.append("slot_id = %(slot_id)s")
        if wanted.job_id is not None:
            conditions.append("job_id = %(job_id)s")
        if after is not None:
            conditions.append("(created_at, id) < (%(after_at)s, %(after_id)s)")
        values: _Values = {
            "now": now,
            "kind": wanted.kind,
            "slot_id": wanted.slot_id,
            "job_id": wanted.job_id,
            "after_at": after and after.created_at,
            "after_id": after and after.media_id,
            "limit": limit,
        }
        where = "WHERE " + " AND ".join(conditions) + " ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
        return await self._many(where, values)

    async def without_preview(self, *, now: datetime, before: datetime, limit: int) -> list[MediaObject]:
        """Lists readable objects, stored before then, whose preview has yet to be made."""
        return await self._many(
            "WHERE preview = 'wanted' AND ended_at IS NULL AND created_at < %(before)s "
            "AND (expires_at IS NULL OR expires_at > %(now)s) ORDER BY created_at LIMIT %(limit)s",
            {"now": now, "before": before, "limit": limit},
        )

    async def usage(self, slot_id: SlotId | None) -> list[Usage]:
        """Sums up what is in the bucket, by kind."""
        async with connection(self._pool) as conn:
            rows = await conn.execute(
                "SELECT kind, count(*), sum(size_bytes)::bigint FROM media_objects "
                "WHERE purged_at IS NULL AND (%(slot_id)s::text IS NULL OR slot_id = %(slot_id)s) "
                "GROUP BY kind ORDER BY kind",
                {"slot_id": slot_id},
            )
            return [Usage(MediaKind(kind), count, size) async for kind, count, size in rows]

    async def end(self, media_id: MediaId, reason: EndReason, *, now: datetime) -> list[MediaId]:
        """Ends an object and its preview; returns those that had not ended before."""
        values = {"id": media_id}
        async with transaction(self._pool) as conn:
            if reason is EndReason.LOST:
                await conn.execute(
                    "UPDATE media_objects AS parent SET preview = 'wanted' FROM media_objects AS lost "
                    "WHERE lost.id = %(id)s AND lost.ended_at IS NULL AND parent.id = lost.parent_id "
                    "AND parent.preview = 'made' AND parent.ended_at IS NULL",
                    values,
                )
            ended = await _end(conn, "id = %(id)s", values, reason, now)
            # A statement of its own: where the first waited for a preview to be added, only a later one sees it.
            return ended + await _end(conn, "parent_id = %(id)s", values, reason, now)

    async def end_job(self, job_id: JobId, kinds: Sequence[MediaKind], *, now: datetime) -> list[MediaId]:
        """Ends a job's objects of these kinds, previews with their results; returns those it ended."""
        wanted = {kind.value for kind in kinds}
        if MediaKind.RESULT in kinds:
            wanted.add(MediaKind.PREVIEW.value)
        async with connection(self._pool) as conn:
            return await _end(
                conn,
                "job_id = %(job_id)s AND kind = ANY(%(kinds)s)",
                {"job_id": job_id, "kinds": sorted(wanted)},
                EndReason.DELETED,
                now,
            )

    async def end_expired(self, slot_id: SlotId | None, *, now: datetime, limit: int) -> list[MediaId]:
        """Ends up to `limit` objects whose retention is over; returns them."""
        async with connection(self._pool) as conn:
            return await _end(
                conn,
                "id IN (SELECT id FROM media_objects WHERE ended_at IS NULL AND expires_at <= %(now)s "
                "AND (%(slot_id)s::text IS NULL OR slot_id = %(slot_id)s) "
                "ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)",
                {"slot_id": slot_id, "limit": limit},
                EndReason.EXPIRED,
                now,
            )

    async def set_expiry(self, job_id: JobId, *, result_at_most: datetime) -> None:
        """Shortens the retention of a job's result and its preview; never lengthens it."""
        async with connection(self._pool) as conn:
            await conn.execute(
                "UPDATE media_objects SET expires_at = %(at)s WHERE job_id = %(job_id)s "
                "AND kind IN ('result', 'preview') AND ended_at IS NULL AND expires_at > %(at)s",
                {"job_id": job_id, "at": result_at_most},
            )

    async def restore_expiry(self, media_id: MediaId, expires_at: datetime) -> None:
        """Gives an object and its preview a retention again, unless they have ended."""
        async with connection(self._pool) as conn:
            await conn.execute(
                "UPDATE media_objects SET expires_at = %(at)s "
                "WHERE (id = %(id)s OR parent_id = %(id)s) AND ended_at IS NULL AND kind <> 'template'",
                {"id": media_id, "at": expires_at},
            )

    async def remains(self, *, limit: int, after: MediaId | None) -> list[Remains]:
        """Lists ended objects whose bytes have not been removed, by id."""
        return await self._remains(
            "id > %(after)s ORDER BY id LIMIT %(limit)s", {"after": after or "", "limit": limit}
        )

    async def remains_of(self, media_ids: Sequence[MediaId]) -> list[Remains]:
        """As `remains`, of these objects only."""
        return await self._remains("id = ANY(%(ids)s) ORDER BY id", {"ids": list(media_ids)})

    async def in_use(self, key: str) -> bool:
        """Whether a live object has this key."""
        async with connection(self._pool) as conn:
            rows = await conn.execute(
                "SELECT 1 FROM media_objects WHERE key = %s AND ended_at IS NULL", (key,)
            )
            return await rows.fetchone() is not None

    async def purged(self, media_id: MediaId, *, now: datetime) -> None:
        """Notes that the bytes of an ended object are gone."""
        async with connection(self._pool) as conn:
            await conn.execute(
                "UPDATE media_objects SET purged_at = %s "
                "WHERE id = %s AND ended_at IS NOT NULL AND purged_at IS NULL",
                (now, media_id),
            )

    async def forget(self, *, ended_before: datetime) -> int:
        """Deletes tombstones whose bytes are gone, and links, that ended before then; returns how many."""
        async with transaction(self._pool) as conn:
            links = await conn.execute("DELETE FROM links WHERE expires_at < %s", (ended_before,))
            objects = await conn.execute(
                "DELETE FROM media_objects WHERE purged_at IS NOT NULL AND ended_at < %s "
                "AND NOT EXISTS (SELECT FROM media_objects AS child "
                "WHERE child.parent_id = media_objects.id AND child.purged_at IS NULL)",
                (ended_before,),
            )
            return links.rowcount + objects.rowcount

    async def _one(self, where: LiteralString, values: _Values) -> MediaObject | None:
        async with connection(self._pool) as conn, conn.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_SELECT + sql.SQL(where), values)
            row = await cursor.fetchone()
            return None if row is None else from_row(row)

    async def _many(self, where: LiteralString, values: _Values) -> list[MediaObject]:
        async with connection(self._pool) as conn, conn.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_SELECT + sql.SQL(where), values)
            return from_rows(await cursor.fetchall())

    async def _remains(self, where: LiteralString, values: _Values) -> list[Remains]:
        query = sql.SQL(
            "SELECT id, key, size_bytes FROM media_objects "
            "WHERE ended_at IS NOT NULL AND purged_at IS NULL AND "
        ) + sql.SQL(where)
        async with connection(self._pool) as conn:
            rows = await conn.execute(query, values)
            return [Remains(MediaId(media_id), key, size) async for media_id, key, size in rows]


async def _end(
    conn: Connection, where: LiteralString, values: _Values, reason: EndReason, now: datetime
) -> list[MediaId]:
    query = sql.SQL(
        "UPDATE media_objects SET ended_at = %(now)s, end_reason = %(reason)s "
        "WHERE ended_at IS NULL AND {} RETURNING id"
    ).format(sql.SQL(where))
    rows = await conn.execute(query, {**values, "reason": reason.value, "now": now})
    return [MediaId(row[0]) for row in await rows.fetchall()]
