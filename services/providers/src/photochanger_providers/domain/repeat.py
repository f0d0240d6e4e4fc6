"""When asking a provider once more is safe and sensible."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

_A_MOMENT: Final = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Facts an error carries about asking again; the retry layer decides, drivers never loop on them.

    `pauses[n]` is waited before repeat number n + 1, so their number is the most repeats this kind of error
    allows. `jitter` adds up to that share of each pause. A repeat is made only when at least `least_left` of
    the deadline is left after the pause.
    """

    pauses: tuple[timedelta, ...] = ()
    jitter: float = 0.0
    least_left: timedelta = timedelta(seconds=2)

    @classmethod
    def never(cls) -> Self:
        """Asking again is useless, or unsafe because the provider may have accepted the call."""
        return cls()

    @classmethod
    def once(cls) -> Self:
        """One more try, after half a second."""
        return cls(pauses=(_A_MOMENT,))

    @classmethod
    def after(cls, delay: timedelta) -> Self:
        """One more try, no sooner than the provider said (`Retry-After`, `RetryInfo`)."""
        return cls(pauses=(delay,), jitter=0.1)

    @classmethod
    def backoff(cls, times: int, *, first: timedelta = timedelta(seconds=1)) -> Self:
        """Up to `times` tries, each pause twice the one before, with jitter."""
        return cls(pauses=tuple(first * 2**number for number in range(times)), jitter=0.5)

    def pause(self, *, repeats_made: int, remaining: timedelta, chance: float) -> timedelta | None:
        """Returns how long to wait before the next repeat, or None when there shall be none.

        `repeats_made` counts all repeats of the call so far; `chance` is uniform in [0, 1).
        """
        if repeats_made >= len(self.pauses):
            return None
        pause = self.pauses[repeats_made] * (1 + self.jitter * chance)
        return pause if remaining - pause >= self.least_left else None
