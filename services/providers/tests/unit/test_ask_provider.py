"""The retry layer around a driver."""

from collections import deque
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import cast

import pytest
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.testing import ManualClock
from photochanger_providers.adapters.measures import PrometheusMeasures
from photochanger_providers.adapters.workspace import open_workspace
from photochanger_providers.application.ask_provider import AskProvider, verdict_of
from photochanger_providers.application.driver import DriverRequest, PublicLinks
from photochanger_providers.application.work_log import WorkLog
from photochanger_providers.domain.breaker import Breaker, BreakerPolicy, Verdict
from photochanger_providers.domain.catalogue import OperationId, ProviderId
from photochanger_providers.domain.errors import (
    BadInput,
    BadProviderResponse,
    ContentBlocked,
    NetworkFailed,
    NoImage,
    ProviderAuthFailed,
    ProviderError,
    ProviderFault,
    ProviderMisconfigured,
    ProviderTimedOut,
    ProviderUnavailable,
    QuotaExceeded,
)
from photochanger_providers.domain.picture import Picture
from photochanger_providers.domain.repeat import Repeat
from photochanger_providers.testing.scripted_driver import Act, Script, ScriptedDriver, answers, fails
from prometheus_client import CollectorRegistry

GEMINI = ProviderId("gemini")
SECOND = timedelta(seconds=1)


class MemoryBreakers:
    """One breaker, kept as the real store keeps its rows."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self.breaker = Breaker()
        self._policy = policy

    async def peek(self, provider_id: ProviderId, model: str, *, now: datetime) -> timedelta | None:
        return self.breaker.refusal(now)

    async def enter(self, provider_id: ProviderId, model: str, *, now: datetime) -> timedelta | None:
        refusal = self.breaker.refusal(now)
        if refusal is None:
            self.breaker = self.breaker.entered(now, self._policy)
        return refusal

    async def record(self, provider_id: ProviderId, model: str, verdict: Verdict, *, now: datetime) -> None:
        self.breaker = self.breaker.after(verdict, now, self._policy)

    async def reset(self, provider_id: ProviderId) -> None:
        self.breaker = Breaker()

    async def any_open(self, provider_id: ProviderId, *, now: datetime) -> bool:
        return self.breaker.refusal(now) is not None


class Bench:
    """The retry layer with a clock that its pauses move."""

    def __init__(self, folder: Path, *acts: Act, seconds: float = 48) -> None:
        self.clock = ManualClock()
        self.pauses: list[timedelta] = []
        self.script = Script(deque(acts))
        self.log = WorkLog()
        self.breakers = MemoryBreakers(BreakerPolicy(threshold=3))
        self._folder = folder
        self._deadline = Deadline.after(self.clock.now(), timedelta(seconds=seconds))
        self._ask = AskProvider(
            breakers=self.breakers,
            measures=PrometheusMeasures(CollectorRegistry()),
            clock=self.clock,
            random=Random(1),
            pause=self._pause,
        )

    async def run(self) -> int:
        """Asks, and returns the number of provider calls."""
        with open_workspace(self._folder) as workspace:
            request = DriverRequest(
                operation_id=OperationId("edit"),
                settings={},
                photo=a_picture(self._folder),
                templates=(),
                deadline=self._deadline,
                workspace=workspace,
                links=cast(PublicLinks, None),
            )
            await self._ask(
                ScriptedDriver(self.script),
                request,
                provider_id=GEMINI,
                model="m",
                check=self._check,
                log=self.log,
            )
        return self.log.provider_calls

    async def _check(self, path: Path) -> Picture:
        return a_picture(path)

    async def _pause(self, length: timedelta) -> None:
        self.pauses.append(length)
        self.clock.advance(length)


def a_picture(path: Path) -> Picture:
    return Picture(path, "image/png", 1, 1, 1)


def busy(repeat: Repeat | None = None) -> Act:
    return fails(ProviderFault("busy", repeat=repeat))


async def test_an_error_that_allows_it_is_tried_again_after_its_pauses(tmp_path: Path) -> None:
    twice = Repeat((SECOND, 3 * SECOND))
    bench = Bench(tmp_path, busy(twice), busy(twice), answers(b"x"))

    assert await bench.run() == 3
    assert bench.pauses == [SECOND, 3 * SECOND]


async def test_an_error_that_says_nothing_of_repeats_is_final(tmp_path: Path) -> None:
    bench = Bench(tmp_path, busy(), answers(b"x"))

    with pytest.raises(ProviderFault):
        await bench.run()
    assert len(bench.script.requests) == 1


async def test_repeats_are_counted_over_all_errors_of_a_call(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        busy(Repeat((SECOND, SECOND))),
        fails(BadProviderResponse("odd", repeat=Repeat.once())),
        answers(b"x"),
    )

    with pytest.raises(BadProviderResponse):
        await bench.run()
    assert len(bench.script.requests) == 2


async def test_there_is_no_repeat_for_which_no_time_is_left(tmp_path: Path) -> None:
    bench = Bench(tmp_path, fails(QuotaExceeded("wait", repeat=Repeat.after(26 * SECOND))), seconds=27)

    with pytest.raises(QuotaExceeded):
        await bench.run()
    assert not bench.pauses


async def test_an_open_breaker_is_not_called_not_even_for_a_repeat(tmp_path: Path) -> None:
    bench = Bench(tmp_path, *[busy(Repeat((SECOND,) * 5))] * 5)

    with pytest.raises(ProviderUnavailable) as caught:
        await bench.run()
    assert len(bench.script.requests) == bench.log.provider_calls == 3
    assert caught.value.retry_after is not None


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (ProviderFault("x"), Verdict.FAILED),
        (NetworkFailed("x"), Verdict.FAILED),
        (NetworkFailed("no connection", provider_calls=0), Verdict.FAILED),
        (ProviderTimedOut("x"), Verdict.FAILED),
        (ProviderAuthFailed("x"), Verdict.LONG_OUTAGE),
        (ProviderAuthFailed("no key", provider_calls=0), Verdict.NOTHING),
        (QuotaExceeded("a day", long_outage=True), Verdict.LONG_OUTAGE),
        (QuotaExceeded("a minute"), Verdict.NOTHING),
        (BadProviderResponse("x"), Verdict.NOTHING),
        (ContentBlocked("x"), Verdict.ALIVE),
        (NoImage("x"), Verdict.ALIVE),
        (BadInput("x"), Verdict.ALIVE),
        (ProviderMisconfigured("x"), Verdict.ALIVE),
        (ProviderMisconfigured("no address", provider_calls=0), Verdict.NOTHING),
    ],
)
def test_what_an_error_says_about_the_provider(error: ProviderError, verdict: Verdict) -> None:
    assert verdict_of(error, given=timedelta(seconds=30)) is verdict


def test_a_provider_that_had_no_time_is_not_blamed_for_silence() -> None:
    assert verdict_of(ProviderTimedOut("x"), given=SECOND) is Verdict.NOTHING
