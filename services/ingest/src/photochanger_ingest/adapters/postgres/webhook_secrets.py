"""The table `webhook_secrets`: sealed, so that who reads the database can sign nothing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from photochanger_chassis.postgres.pool import Pool, connection, transaction
from photochanger_chassis.secret_box import Sealed, SecretBox, SecretsNotConfigured

from photochanger_ingest.application.webhook_secrets import SecretAge
from photochanger_ingest.domain.errors import WebhooksNotConfigured
from photochanger_ingest.domain.ids import ClientId

# Advisory locks of two numbers are apart from those of one; the first is ours alone.
_LOCKS: Final = 0x77686B73

PRUNE_WEBHOOK_SECRETS: Final = "DELETE FROM webhook_secrets WHERE expires_at <= %(now)s"


class PostgresWebhookSecrets:
    """Keeps the promises of `application.webhook_secrets.WebhookSecretStore`, by a `SecretBox`."""

    def __init__(self, pool: Pool, box: SecretBox) -> None:
        self._pool = pool
        self._box = box

    async def replace(
        self, client_id: ClientId, secret: str, *, now: datetime, previous_until: datetime
    ) -> SecretAge | None:
        """See the port."""
        async with transaction(self._pool) as conn:
            await conn.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCKS, client_id))
            cursor = await conn.execute(
                """
                SELECT coalesce(max(version), 0) FROM webhook_secrets WHERE client_id = %(client_id)s
                HAVING EXISTS (SELECT FROM api_keys WHERE client_id = %(client_id)s)
                """,
                {"client_id": client_id},
            )
            row = await cursor.fetchone()
            if row is None:
                return None
            version = int(row[0]) + 1
            with _sealing():
                sealed = self._box.seal(secret, context=_context(client_id, version))
            # Two sign at most: the new one and the one before.
            await conn.execute(
                "DELETE FROM webhook_secrets WHERE client_id = %s AND expires_at IS NOT NULL", (client_id,)
            )
            previous = await conn.execute(
                "UPDATE webhook_secrets SET expires_at = %s WHERE client_id = %s", (previous_until, client_id)
            )
            await conn.execute(
                """
                INSERT INTO webhook_secrets (client_id, version, secret_key_id, nonce, ciphertext, created_at)
                VALUES (%s, %s, %s, %s, %s, %s)
                """,
                (client_id, version, sealed.secret_key_id, sealed.nonce, sealed.ciphertext, now),
            )
        return SecretAge(now, previous_until if previous.rowcount else None)

    async def age(self, client_id: ClientId, now: datetime) -> SecretAge | None:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                """
                SELECT created_at, (
                    SELECT expires_at FROM webhook_secrets
                    WHERE client_id = %(client_id)s AND expires_at > %(now)s
                )
                FROM webhook_secrets WHERE client_id = %(client_id)s AND expires_at IS NULL
                """,
                {"client_id": client_id, "now": now},
            )
            row = await cursor.fetchone()
        return None if row is None else SecretAge(row[0], row[1])

    async def alive(self, client_id: ClientId, now: datetime) -> Sequence[str]:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                """
                SELECT version, secret_key_id, nonce, ciphertext FROM webhook_secrets
                WHERE client_id = %s AND (expires_at IS NULL OR expires_at > %s) ORDER BY version DESC
                """,
                (client_id, now),
            )
            rows = await cursor.fetchall()
        with _sealing():
            return [
                self._box.open(Sealed(*sealed), context=_context(client_id, version))
                for version, *sealed in rows
            ]

    async def reseal(self) -> int:
        """Seals every secret that needs it with the newest key of ours; returns how many. Safe to repeat.

        Raises:
            WebhooksNotConfigured: one cannot be opened; nothing is changed then.
        """
        with _sealing():
            newest = self._box.newest
        async with transaction(self._pool) as conn:
            cursor = await conn.execute(
                """
                SELECT client_id, version, secret_key_id, nonce, ciphertext FROM webhook_secrets
                WHERE secret_key_id <> %s FOR UPDATE
                """,
                (newest,),
            )
            rows = await cursor.fetchall()
            for client_id, version, *stored in rows:
                context = _context(client_id, version)
                with _sealing():
                    sealed = self._box.seal(self._box.open(Sealed(*stored), context=context), context=context)
                await conn.execute(
                    """
                    UPDATE webhook_secrets SET secret_key_id = %s, nonce = %s, ciphertext = %s
                    WHERE client_id = %s AND version = %s
                    """,
                    (sealed.secret_key_id, sealed.nonce, sealed.ciphertext, client_id, version),
                )
        return len(rows)


def _context(client_id: str, version: int) -> str:
    return f"webhook\x00{client_id}\x00{version}"


@contextmanager
def _sealing() -> Iterator[None]:
    try:
        yield
    except SecretsNotConfigured as error:
        raise WebhooksNotConfigured from error
