"""Provider keys, encrypted, in the table `provider_keys`."""

from photochanger_chassis.postgres.pool import Pool, connection, transaction
from photochanger_chassis.secret_box import Sealed, SecretBox

from photochanger_providers.application.provider_keys import StoredKey
from photochanger_providers.domain.catalogue import ProviderId


class PostgresKeyStore:
    """Keeps provider keys, encrypted by a `SecretBox`."""

    def __init__(self, pool: Pool, box: SecretBox) -> None:
        self._pool = pool
        self._box = box

    async def get(self, provider_id: ProviderId) -> StoredKey | None:
        """Returns the stored key, decrypted.

        Raises:
            SecretsNotConfigured: it cannot be decrypted.
        """
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                """
                SELECT key_version, secret_key_id, nonce, ciphertext, updated_at, updated_by
                FROM provider_keys WHERE provider_id = %s
                """,
                (provider_id,),
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        version, secret_key_id, nonce, ciphertext, updated_at, updated_by = row
        key = self._box.open(Sealed(secret_key_id, nonce, ciphertext), context=_context(provider_id, version))
        return StoredKey(key, updated_at, updated_by)

    async def put(self, provider_id: ProviderId, key: StoredKey) -> None:
        """Stores or replaces a key, as its next version."""
        async with transaction(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT key_version FROM provider_keys WHERE provider_id = %s FOR UPDATE", (provider_id,)
            )
            row = await cursor.fetchone()
            version = row[0] + 1 if row is not None else 1
            sealed = self._box.seal(key.key, context=_context(provider_id, version))
            await conn.execute(
                """
                INSERT INTO provider_keys
                    (provider_id, key_version, secret_key_id, nonce, ciphertext, updated_at, updated_by)
                VALUES (%s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (provider_id) DO UPDATE SET
                    key_version = excluded.key_version, secret_key_id = excluded.secret_key_id,
                    nonce = excluded.nonce, ciphertext = excluded.ciphertext,
                    updated_at = excluded.updated_at, updated_by = excluded.updated_by
                """,
                (
                    provider_id,
                    version,
                    sealed.secret_key_id,
                    sealed.nonce,
                    sealed.ciphertext,
                    key.updated_at,
                    key.updated_by,
                ),
            )

    async def delete(self, provider_id: ProviderId) -> None:
        """Removes a key, where there is one."""
        async with connection(self._pool) as conn:
            await conn.execute("DELETE FROM provider_keys WHERE provider_id = %s", (provider_id,))

    async def rotate(self) -> int:
        """Encrypts every key that needs it with the newest key of ours; returns how many. Safe to repeat.

        Raises:
            SecretsNotConfigured: one cannot be decrypted; nothing is changed then.
        """
        async with transaction(self._pool) as conn:
            cursor = await conn.execute(
                """
                SELECT provider_id, key_version, secret_key_id, nonce, ciphertext FROM provider_keys
                WHERE secret_key_id <> %s FOR UPDATE
                """,
                (self._box.newest,),
            )
            rows = await cursor.fetchall()
            for provider_id, version, *stored in rows:
                context = _context(provider_id, version)
                sealed = self._box.seal(self._box.open(Sealed(*stored), context=context), context=context)
                await conn.execute(
                    """
                    UPDATE provider_keys SET secret_key_id = %s, nonce = %s, ciphertext = %s
                    WHERE provider_id = %s
                    """,
                    (sealed.secret_key_id, sealed.nonce, sealed.ciphertext, provider_id),
                )
        return len(rows)


def _context(provider_id: str, key_version: int) -> str:
    return f"{provider_id}\x00{key_version}"
