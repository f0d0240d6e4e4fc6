"""What an installation begins with."""

import structlog
from photochanger_chassis.postgres.pool import Pool, connection

_log = structlog.stdlib.get_logger(__name__)


async def seed_ingest_password(pool: Pool, password_hash: str) -> None:
    """Sets the global ingest password unless there is one: what an admin has set since is left alone."""
    async with connection(pool) as conn:
        cursor = await conn.execute(
            """
            UPDATE settings SET
                password_hash = %s, password_rotated_at = now(), password_rotated_by = 'installation',
                version = version + 1
            WHERE password_hash IS NULL
            """,
            (password_hash,),
        )
    if cursor.rowcount:
        _log.info("ingest_password.seeded")
