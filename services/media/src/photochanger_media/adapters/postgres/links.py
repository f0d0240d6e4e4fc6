"""The links in PostgreSQL."""

from datetime import datetime

from photochanger_chassis.postgres.pool import Pool, connection

from photochanger_media.domain.link import Link
from photochanger_media.domain.media_object import MediaId


class PostgresLinks:
    """Keeps `links`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, link: Link, *, now: datetime) -> None:
        """Adds a link."""
        async with connection(self._pool) as conn:
            await conn.execute(
                "INSERT INTO links (token_digest, media_id, created_at, expires_at) VALUES (%s, %s, %s, %s)",
                (link.token_digest, link.media_id, now, link.expires_at),
            )

    async def get(self, token_digest: bytes) -> Link | None:
        """Returns a link by the digest of its token."""
        async with connection(self._pool) as conn:
            rows = await conn.execute(
                "SELECT token_digest, media_id, expires_at FROM links WHERE token_digest = %s",
                (token_digest,),
            )
            row = await rows.fetchone()
        return None if row is None else Link(row[0], MediaId(row[1]), row[2])
