"""What providers there are, whether settings fit them, and how they do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ServiceError

from photochanger_providers.application.ports import BreakerStore
from photochanger_providers.application.provider_keys import KeyRing
from photochanger_providers.application.run_photo import Provider, Providers
from photochanger_providers.application.settings_schema import checked_settings
from photochanger_providers.domain.catalogue import JsonObject, ProviderId, ProviderInfo
from photochanger_providers.domain.errors import OperationNotFound, ProviderNotFound

_PATIENCE: Final = timedelta(seconds=1)
_FRESH: Final = timedelta(seconds=10)


class HealthState(StrEnum):
    """Where a provider stands."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    NOT_CONFIGURED = "not_configured"


@dataclass(frozen=True, slots=True)
class HealthReport:
    """How a provider does; `detail` in words, without keys or addresses."""

    provider_id: ProviderId
    state: HealthState
    detail: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A provider with how it does. `configured`: it has the key it needs."""

    info: ProviderInfo
    configured: bool
    health: HealthReport


class Catalogue:
    """Answers what can be asked of the providers. Reports of health are a few seconds old at most."""

    def __init__(self, *, providers: Providers, keys: KeyRing, breakers: BreakerStore, clock: Clock) -> None:
        self._providers = providers
        self._keys = keys
        self._breakers = breakers
        self._clock = clock
        self._reports: dict[ProviderId, HealthReport] = {}

    async def providers(self) -> list[CatalogueEntry]:
        """Lists all providers by id, their health looked at side by side."""
        reports = await self.health()
        return [
            CatalogueEntry(
                self._providers[report.provider_id].info,
                report.state is not HealthState.NOT_CONFIGURED,
                report,
            )
            for report in reports
        ]

    def validate(
        self, provider_id: str, operation_id: str, settings: JsonObject, template_roles: Sequence[str]
    ) -> JsonObject:
        """Returns the settings with the operation's defaults filled in.

        Raises:
            ProviderNotFound, OperationNotFound: there is no such thing.
            InvalidSettings: they do not fit; one violation a field.
        """
        provider = self._provider(provider_id)
        operation = provider.info.operation(operation_id)
        if operation is None:
            raise OperationNotFound(provider_id, operation_id)
        return checked_settings(operation, settings, template_roles)

    async def health(self, provider_id: str = "") -> list[HealthReport]:
        """Reports on one provider, or on all, by id.

        Raises:
            ProviderNotFound: there is no provider of that id.
        """
        chosen = [self._provider(provider_id)] if provider_id else list(self._providers.values())
        reports = await asyncio.gather(*(self._report(provider) for provider in chosen))
        return sorted(reports, key=lambda report: report.provider_id)

    def _provider(self, provider_id: str) -> Provider:
        provider = self._providers.get(ProviderId(provider_id))
        if provider is None:
            raise ProviderNotFound(provider_id)
        return provider

    async def _report(self, provider: Provider) -> HealthReport:
        now = self._clock.now()
        info = provider.info
        api_key = await self._keys.key_for(info)
        if info.needs_key and not api_key:
            return HealthReport(info.id, HealthState.NOT_CONFIGURED, "It has no API key.", now)
        if await self._breakers.any_open(info.id, now=now):
            detail = "It failed repeatedly and is left alone for a while."
            return HealthReport(info.id, HealthState.DEGRADED, detail, now)
        last = self._reports.get(info.id)
        if last is None or now - last.checked_at >= _FRESH:
            last = await self._asked(provider, api_key)
            self._reports[info.id] = last
        return last

    async def _asked(self, provider: Provider, api_key: str) -> HealthReport:
        state, detail = HealthState.HEALTHY, "It answers."
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                await provider.driver.check_health(api_key)
        except TimeoutError:
            state, detail = HealthState.DEGRADED, "It did not answer within a second."
        except ServiceError as error:
            state, detail = HealthState.DEGRADED, error.message
        return HealthReport(provider.info.id, state, detail, self._clock.now())
