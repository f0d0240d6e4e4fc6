"""When a provider is left alone for a while: a circuit breaker per provider and model.

closed --failures in a row--> open --time passes--> half open --the one trial answers--> closed
                               ^------------the trial fails------------'
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self


class BreakerState(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Verdict(StrEnum):
    """What a call says about the provider's health, whatever it says about the photo."""

    ALIVE = "alive"
    FAILED = "failed"
    LONG_OUTAGE = "long_outage"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """How patient a breaker is.

    After `threshold` failures in a row it opens for `pause`, twice as long after each trial that fails, at
    most `longest_pause`. A long outage (a refused key, a daily quota) opens it at once for `long_pause`. A
    trial that has not ended after `trial_time` no longer keeps others out.
    """

    threshold: int = 5
    pause: timedelta = timedelta(seconds=15)
    longest_pause: timedelta = timedelta(minutes=2)
    long_pause: timedelta = timedelta(minutes=5)
    trial_time: timedelta = timedelta(seconds=75)


_CROWD_DELAY: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Breaker:
    """A breaker at one moment. `until` ends the pause when open, the trial when half open."""

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    openings: int = 0
    until: datetime | None = None

    def refusal(self, now: datetime) -> timedelta | None:
        """Returns how long a caller should stay away, or None when it may call (see `entered`)."""
        if self.state is BreakerState.CLOSED or self.until is None or now >= self.until:
            return None
        if self.state is BreakerState.HALF_OPEN:
            return min(self.until - now, _CROWD_DELAY)
        return self.until - now

    def entered(self, now: datetime, policy: BreakerPolicy) -> Self:
        """Returns the breaker after a caller was let in; an open one whose time is up goes on trial."""
        if self.state is BreakerState.CLOSED:
            return self
        return replace(self, state=BreakerState.HALF_OPEN, until=now + policy.trial_time)

    def after(self, verdict: Verdict, now: datetime, policy: BreakerPolicy) -> Self:
        """Returns the breaker after a call has ended."""
        match verdict:
            case Verdict.ALIVE:
                return type(self)()
            case Verdict.NOTHING:
                # A trial that says nothing is over, so that the next caller is the next trial.
                return replace(self, until=now) if self.state is BreakerState.HALF_OPEN else self
            case Verdict.LONG_OUTAGE:
                return self._opened(now + policy.long_pause)
            case Verdict.FAILED:
                counted = replace(self, failures=self.failures + 1)
                if self.state is BreakerState.OPEN:
                    return counted  # a call that began before it opened
                if self.state is BreakerState.HALF_OPEN or counted.failures >= policy.threshold:
                    pause = policy.pause * 2 ** min(self.openings, 16)
                    return counted._opened(now + min(pause, policy.longest_pause))
                return counted

    def _opened(self, until: datetime) -> Self:
        return replace(self, state=BreakerState.OPEN, openings=self.openings + 1, until=until)
