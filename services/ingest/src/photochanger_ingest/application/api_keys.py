"""Makes, lists, revokes and checks the keys of API clients."""

from collections.abc import Set
from datetime import datetime
from typing import Protocol

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.ids import Ids

from photochanger_ingest.application.store import Page
from photochanger_ingest.domain.api_key import (
    ApiKey,
    ApiScope,
    digest_of,
    key_from,
    last_four_of,
    require_new_key,
    require_person,
)
from photochanger_ingest.domain.errors import ApiClientNotFound, ApiKeyNotFound, InvalidApiKey
from photochanger_ingest.domain.ids import ApiKeyId, ClientId, is_id

_log = structlog.stdlib.get_logger(__name__)


class ApiKeyStore(Protocol):
    """The keys in the database. Every method raises `Unavailable` while it cannot be reached."""

    async def add(self, key: ApiKey, digest: bytes) -> bool:
        """Stores a key. False: it is one more for a client that has none."""
        ...

    async def page(self, *, limit: int, before: int | None) -> Page[ApiKey]:
        """Returns keys, newest first."""
        ...

    async def revoke(self, key_id: ApiKeyId, *, at: datetime, by: str) -> ApiKey | None:
        """Revokes a key, unless it is revoked, and returns it."""
        ...

    async def use(self, digest: bytes, now: datetime) -> ApiKey | None:
        """Returns the unrevoked key with this digest and notes its use, at most once a minute."""
        ...


class ApiKeys:
    """Asks the database each time: a revoked key opens nothing from then on, on no replica."""

    def __init__(self, store: ApiKeyStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def create(
        self, *, name: str, scopes: Set[ApiScope], created_by: str, client_id: ClientId | None
    ) -> tuple[ApiKey, str]:
        """Makes a key, for a new client unless one is named. Returns what is kept of it, and the key itself.

        Raises:
            InvalidArgument: the name, the scopes or who makes it.
            ApiClientNotFound: the client has no key, so it is none.
        """
        require_new_key(name=name, scopes=scopes, created_by=created_by)
        if client_id is not None and not is_id(client_id):
            raise ApiClientNotFound
        key = key_from(self._ids.new_token())
        digest = digest_of(key)
        if digest is None:
            raise RuntimeError("A token is not 43 characters of base64url.")
        key_id = ApiKeyId(self._ids.new_id())
        kept = ApiKey(
            id=key_id,
            client_id=client_id or ClientId(key_id),
            name=name,
            scopes=frozenset(scopes),
            last_four=last_four_of(key),
            created_at=self._clock.now(),
            created_by=created_by,
        )
        if not await self._store.add(kept, digest):
            raise ApiClientNotFound
        _log.info("api_key.created", api_key_id=kept.id, client_id=kept.client_id)
        return kept, key

    async def list(self, *, limit: int, before: int | None) -> Page[ApiKey]:
        """Returns a page of keys, newest first."""
        return await self._store.page(limit=limit, before=before)

    async def revoke(self, key_id: ApiKeyId, *, revoked_by: str) -> ApiKey:
        """Makes a key void. Revoking twice is no error, and the first counts.

        Raises:
            InvalidArgument: nobody is named.
            ApiKeyNotFound: there is no such key.
        """
        require_person("revoked_by", revoked_by)
        known = is_id(key_id)
        revoked = await self._store.revoke(key_id, at=self._clock.now(), by=revoked_by) if known else None
        if revoked is None:
            raise ApiKeyNotFound
        _log.info("api_key.revoked", api_key_id=revoked.id, client_id=revoked.client_id)
        return revoked

    async def verify(self, key: str) -> ApiKey:
        """Returns what is kept of a key. Raises `InvalidApiKey` for one that is unknown, revoked or none at all."""
        digest = digest_of(key)
        found = None if digest is None else await self._store.use(digest, self._clock.now())
        if found is None:
            raise InvalidApiKey
        return found
