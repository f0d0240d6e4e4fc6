"""The providers' API keys: a stored one goes before the environment's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_providers.application.ports import BreakerStore
from photochanger_providers.domain.catalogue import ProviderId, ProviderInfo
from photochanger_providers.domain.errors import ProviderNotFound

_log = structlog.stdlib.get_logger(__name__)
_SHORTEST: Final = 8
_LONGEST: Final = 512
_LEAST_FOR_LAST_FOUR: Final = 12


class KeySource(StrEnum):
    """Where a key comes from."""

    NONE = "none"
    ENVIRONMENT = "environment"
    STORED = "stored"


@dataclass(frozen=True, slots=True)
class KeyDescription:
    """What may be known of a key."""

    provider_id: ProviderId
    source: KeySource
    last_four: str = ""
    updated_at: datetime | None = None
    updated_by: str = ""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it was stored."""

    key: str = field(repr=False)
    updated_at: datetime
    updated_by: str


class KeyStore(Protocol):
    """Keeps keys, encrypted."""

    async def get(self, provider_id: ProviderId) -> StoredKey | None:
        """Returns the stored key, decrypted."""
        ...

    async def put(self, provider_id: ProviderId, key: StoredKey) -> None:
        """Stores or replaces a key.

        Raises:
            SecretsNotConfigured: there is nothing to encrypt it with.
        """
        ...

    async def delete(self, provider_id: ProviderId) -> None:
        """Removes a key, where there is one."""
        ...


class KeyRing:
    """Finds the key to use, and lets operators store another."""

    def __init__(
        self,
        *,
        infos: Mapping[ProviderId, ProviderInfo],
        environment: Mapping[ProviderId, str],
        stored: KeyStore,
        breakers: BreakerStore,
        clock: Clock,
    ) -> None:
        self._infos = infos
        self._environment = environment
        self._stored = stored
        self._breakers = breakers
        self._clock = clock

    async def key_for(self, info: ProviderInfo) -> str:
        """Returns the key to call the provider with; empty where there is none or none is needed.

        Read anew for each call, so that a stored key counts at once on every replica.
        """
        if not info.needs_key:
            return ""
        stored = await self._stored.get(info.id)
        return stored.key if stored is not None else self._environment.get(info.id, "")

    async def describe(self, provider_id: str) -> KeyDescription:
        """Tells what may be known of a provider's key.

        Raises:
            ProviderNotFound: there is no such provider, or it needs no key.
        """
        known = self._known(provider_id)
        stored = await self._stored.get(known)
        if stored is not None:
            return KeyDescription(
                known, KeySource.STORED, _last_four(stored.key), stored.updated_at, stored.updated_by
            )
        key = self._environment.get(known, "")
        if key:
            return KeyDescription(known, KeySource.ENVIRONMENT, _last_four(key))
        return KeyDescription(known, KeySource.NONE)

    async def describe_all(self) -> list[KeyDescription]:
        """Tells of all providers that need a key, by id."""
        return [await self.describe(name) for name, info in sorted(self._infos.items()) if info.needs_key]

    async def store(self, provider_id: str, key: str, *, by: str) -> KeyDescription:
        """Stores a key, and forgets what happened with the one before.

        Raises:
            ProviderNotFound: there is no such provider, or it needs no key.
            InvalidArgument: it is no key.
        """
        known = self._known(provider_id)
        if not (_SHORTEST <= len(key) <= _LONGEST and key.isascii() and key.isprintable()):
            raise InvalidArgument(
                "The key was refused.",
                field_violations=(
                    FieldViolation("key", f"must be {_SHORTEST} to {_LONGEST} printable ASCII characters"),
                ),
            )
        await self._stored.put(known, StoredKey(key, self._clock.now(), by))
        await self._breakers.reset(known)
        _log.info("provider.secret_stored", provider=known, by=by)
        return await self.describe(known)

    async def remove(self, provider_id: str) -> KeyDescription:
        """Removes the stored key; the environment's counts again.

        Raises:
            ProviderNotFound: there is no such provider, or it needs no key.
        """
        known = self._known(provider_id)
        await self._stored.delete(known)
        await self._breakers.reset(known)
        _log.info("provider.secret_removed", provider=known)
        return await self.describe(known)

    def _known(self, provider_id: str) -> ProviderId:
        info = self._infos.get(ProviderId(provider_id))
        if info is None or not info.needs_key:
            raise ProviderNotFound(provider_id)
        return info.id


def _last_four(key: str) -> str:
    return key[-4:] if len(key) >= _LEAST_FOR_LAST_FOUR else ""
