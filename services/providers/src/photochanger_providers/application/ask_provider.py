"""The one place where a provider is asked again: inside the deadline, and only as far as an error allows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ServiceError, Unavailable

from photochanger_providers.application.driver import Driver, DriverRequest, DriverResult
from photochanger_providers.application.ports import BreakerStore, Measures, Pause
from photochanger_providers.application.work_log import WorkLog
from photochanger_providers.domain.breaker import Verdict
from photochanger_providers.domain.catalogue import ProviderId
from photochanger_providers.domain.errors import (
    BadProviderResponse,
    NetworkFailed,
    ProviderAuthFailed,
    ProviderError,
    ProviderFault,
    ProviderTimedOut,
    ProviderUnavailable,
    QuotaExceeded,
)
from photochanger_providers.domain.picture import Picture

_log = structlog.stdlib.get_logger(__name__)
_FAIR_CHANCE: Final = timedelta(seconds=5)
"""A provider that was given less than this says nothing about itself by not answering."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's picture, checked."""

    picture: Picture
    model: str


class AskProvider:
    """Calls a driver through the circuit breaker, and again where that is safe and sensible."""

    def __init__(
        self, *, breakers: BreakerStore, measures: Measures, clock: Clock, random: Random, pause: Pause
    ) -> None:
        self._breakers = breakers
        self._measures = measures
        self._clock = clock
        self._random = random
        self._pause = pause

    async def __call__(
        self,
        driver: Driver,
        request: DriverRequest,
        *,
        provider_id: ProviderId,
        model: str,
        check: Callable[[Path], Awaitable[Picture]],
        log: WorkLog,
    ) -> Answer:
        """Returns the provider's picture once `check` has accepted it; `log` counts the calls of all tries.

        Raises:
            ProviderUnavailable: the breaker is open.
            ProviderError: the last try's error.
        """
        repeats = 0
        while True:
            away = await self._kept_away(provider_id, model)
            if away is not None:
                raise ProviderUnavailable(provider_id, model, retry_after=away)
            try:
                result, picture = await self._try(driver, request, provider_id, model, check)
            except ProviderError as error:
                log.provider_calls += error.provider_calls
                pause = error.repeat.pause(
                    repeats_made=repeats,
                    remaining=request.deadline.remaining(self._clock.now()),
                    chance=self._random.random(),
                )
                if pause is None:
                    raise
                _log.info("provider.repeated", reason=error.reason, repeat=repeats + 1, detail=error.message)
                self._measures.repeat(provider_id, error.reason)
                await self._pause(pause)
                repeats += 1
            else:
                _log.info("provider.answered", provider=provider_id, model=result.model, **result.facts)
                log.provider_calls += result.provider_calls
                return Answer(picture, result.model)

    async def _try(
        self,
        driver: Driver,
        request: DriverRequest,
        provider_id: ProviderId,
        model: str,
        check: Callable[[Path], Awaitable[Picture]],
    ) -> tuple[DriverResult, Picture]:
        began = self._clock.now()
        verdict, outcome = Verdict.NOTHING, "cancelled"
        try:
            result = await self._within_deadline(driver, request)
            picture = await check(result.path)
            verdict, outcome = Verdict.ALIVE, "done"
        except ServiceError as error:
            outcome = error.reason
            if isinstance(error, ProviderError):
                verdict = verdict_of(error, given=request.deadline.remaining(began))
            raise
        finally:
            self._measures.provider_call(provider_id, model, outcome, self._clock.now() - began)
            # Also after a cancellation: a trial that has ended must not keep others out.
            await self._noted(provider_id, model, verdict)
        return result, picture

    async def _kept_away(self, provider_id: ProviderId, model: str) -> timedelta | None:
        try:
            return await self._breakers.enter(provider_id, model, now=self._clock.now())
        except Unavailable as error:
            # Without its database the breaker cannot tell; a photo is not refused for that.
            _log.warning("breaker.not_read", reason=error.reason)
            return None

    async def _noted(self, provider_id: ProviderId, model: str, verdict: Verdict) -> None:
        try:
            await self._breakers.record(provider_id, model, verdict, now=self._clock.now())
        except Unavailable as error:
            # The picture, or the error that tells what happened, matters more.
            _log.warning("breaker.not_written", reason=error.reason)

    async def _within_deadline(self, driver: Driver, request: DriverRequest) -> DriverResult:
        window = asyncio.timeout(request.deadline.remaining(self._clock.now()).total_seconds())
        try:
            async with window:
                return await driver.process(request)
        except TimeoutError as error:
            if not window.expired():
                raise
            raise ProviderTimedOut("The provider gave no answer before the deadline.") from error


def verdict_of(error: ProviderError, *, given: timedelta) -> Verdict:
    """Tells what a failed call says about the provider; `given` is the time it had."""
    if error.provider_calls == 0 and not isinstance(error, NetworkFailed):
        return Verdict.NOTHING
    if error.long_outage or isinstance(error, ProviderAuthFailed):
        return Verdict.LONG_OUTAGE
    if isinstance(error, ProviderTimedOut):
        return Verdict.FAILED if given >= _FAIR_CHANCE else Verdict.NOTHING
    if isinstance(error, (ProviderFault, NetworkFailed)):
        return Verdict.FAILED
    if isinstance(error, (BadProviderResponse, QuotaExceeded)):
        return Verdict.NOTHING
    return Verdict.ALIVE
