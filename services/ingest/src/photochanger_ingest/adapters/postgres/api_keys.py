"""The table `api_keys`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, cast

from photochanger_chassis.postgres.pool import Pool, connection

from photochanger_ingest.application.store import Page
from photochanger_ingest.domain.api_key import ApiKey, ApiScope
from photochanger_ingest.domain.ids import ApiKeyId, ClientId

_COLUMNS: Final = (
    "id, client_id, name, scopes, last_four, created_at, created_by, revoked_at, revoked_by, last_used_at"
)


class PostgresApiKeys:
    """Keeps the promises of `application.api_keys.ApiKeyStore`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, key: ApiKey, digest: bytes) -> bool:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                """
                INSERT INTO api_keys (id, client_id, name, key_sha256, last_four, scopes, created_at, created_by)
                SELECT %(id)s, %(client_id)s, %(name)s, %(digest)s, %(last_four)s, %(scopes)s, %(at)s, %(by)s
                WHERE %(client_id)s = %(id)s OR EXISTS (SELECT FROM api_keys WHERE client_id = %(client_id)s)
                """,
                {
                    "id": key.id,
                    "client_id": key.client_id,
                    "name": key.name,
                    "digest": digest,
                    "last_four": key.last_four,
                    "scopes": sorted(key.scopes),
                    "at": key.created_at,
                    "by": key.created_by,
                },
            )
        return cursor.rowcount == 1

    async def page(self, *, limit: int, before: int | None) -> Page[ApiKey]:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"""
                SELECT {_COLUMNS}, position FROM api_keys
                WHERE %(before)s::bigint IS NULL OR position < %(before)s
                ORDER BY position DESC LIMIT %(limit)s + 1
                """,  # noqa: S608 - columns are ours
                {"before": before, "limit": limit},
            )
            rows = await cursor.fetchall()
        last = rows[limit - 1][-1] if len(rows) > limit else None
        return Page(tuple(_key_of(row[:-1]) for row in rows[:limit]), last)

    async def revoke(self, key_id: ApiKeyId, *, at: datetime, by: str) -> ApiKey | None:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"""
                UPDATE api_keys SET
                    revoked_at = coalesce(revoked_at, %(at)s),
                    revoked_by = CASE WHEN revoked_at IS NULL THEN %(by)s ELSE revoked_by END
                WHERE id = %(id)s RETURNING {_COLUMNS}
                """,  # noqa: S608 - columns are ours
                {"id": key_id, "at": at, "by": by},
            )
            row = await cursor.fetchone()
        return None if row is None else _key_of(row)

    async def use(self, digest: bytes, now: datetime) -> ApiKey | None:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"""
                WITH found AS (SELECT * FROM api_keys WHERE key_sha256 = %(digest)s AND revoked_at IS NULL),
                used AS (
                    -- A row that somebody is just changing is passed over: nobody waits to note a use.
                    UPDATE api_keys SET last_used_at = %(now)s WHERE id = (
                        SELECT api_keys.id FROM api_keys JOIN found USING (id)
                        WHERE found.last_used_at IS NULL OR found.last_used_at <= %(now)s - interval '1 minute'
                        FOR NO KEY UPDATE OF api_keys SKIP LOCKED
                    )
                )
                SELECT {_COLUMNS} FROM found
                """,  # noqa: S608 - columns are ours
                {"digest": digest, "now": now},
            )
            row = await cursor.fetchone()
        return None if row is None else _key_of(row)


def _key_of(row: Sequence[object]) -> ApiKey:
    key_id, client_id, name, scopes, last_four, created_at, created_by, revoked_at, revoked_by, used_at = row
    return ApiKey(
        id=ApiKeyId(str(key_id)),
        client_id=ClientId(str(client_id)),
        name=str(name),
        scopes=frozenset(ApiScope(scope) for scope in cast(Sequence[str], scopes)),
        last_four=str(last_four),
        created_at=cast(datetime, created_at),
        created_by=str(created_by),
        revoked_at=cast(datetime | None, revoked_at),
        revoked_by=str(revoked_by),
        last_used_at=cast(datetime | None, used_at),
    )
