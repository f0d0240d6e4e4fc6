"""Makes and replaces the secrets that clients' webhooks are signed with."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from photochanger_chassis.clock import Clock

from photochanger_ingest.domain.errors import (
    ApiClientNotFound,
    WebhookSecretNotFound,
    WebhookSecretRequired,
)
from photochanger_ingest.domain.ids import ClientId
from photochanger_ingest.domain.webhook_signature import secret_from

_log = structlog.stdlib.get_logger(__name__)

_OVERLAP: Final = timedelta(hours=24)
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SecretAge:
    """Since when a client's secret signs, and until when the one before does as well."""

    created_at: datetime
    previous_expires_at: datetime | None


class WebhookSecretStore(Protocol):
    """The secrets in the database, sealed. Every method raises `Unavailable` while it cannot be reached."""

    async def replace(
        self, client_id: ClientId, secret: str, *, now: datetime, previous_until: datetime
    ) -> SecretAge | None:
        """Stores a client's secret; the one before lives until then, older ones end. None: there is no such client.

        Raises:
            WebhooksNotConfigured: it cannot be sealed.
        """
        ...

    async def age(self, client_id: ClientId, now: datetime) -> SecretAge | None:
        """Tells how old a client's secret is."""
        ...

    async def alive(self, client_id: ClientId, now: datetime) -> Sequence[str]:
        """Returns the secrets to sign with, newest first.

        Raises:
            WebhooksNotConfigured: one cannot be opened.
        """
        ...


class WebhookSecrets:
    """A client has one secret, and for a day after a rotation two."""

    def __init__(self, store: WebhookSecretStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def rotate(self, client_id: ClientId) -> tuple[str, SecretAge]:
        """Makes a client's first secret or its next one, and returns it, which nobody can do again.

        Raises:
            ApiClientNotFound: there is no such client.
            WebhooksNotConfigured: see there.
        """
        secret = secret_from(secrets.token_bytes(_SECRET_BYTES))
        now = self._clock.now()
        age = await self._store.replace(client_id, secret, now=now, previous_until=now + _OVERLAP)
        if age is None:
            raise ApiClientNotFound
        _log.info("webhook.signing_rotated", client_id=client_id)
        return secret, age

    async def age(self, client_id: ClientId) -> SecretAge:
        """Tells how old a client's secret is. Raises `WebhookSecretNotFound`."""
        age = await self._store.age(client_id, self._clock.now())
        if age is None:
            raise WebhookSecretNotFound
        return age

    async def require(self, client_id: ClientId) -> None:
        """Raises `WebhookSecretRequired` unless a client's webhooks can be signed."""
        if await self._store.age(client_id, self._clock.now()) is None:
            raise WebhookSecretRequired
