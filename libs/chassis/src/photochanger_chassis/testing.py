"""Stand-ins for time and chance. For tests only."""

from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime = _START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Returns the instant the clock was last moved to."""
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Moves the clock (backwards for a negative step) and returns the new instant."""
        self._now += step
        return self._now


class SequentialIds:
    """Identifiers 1, 2, 3… as 32 hexadecimal digits, and tokens named after them."""

    def __init__(self) -> None:
        self._count = 0

    def new_id(self) -> str:
        """Returns the next number as 32 hexadecimal digits."""
        self._count += 1
        return f"{self._count:032x}"

    def new_token(self) -> str:
        """Returns `token-` and the next number."""
        self._count += 1
        return f"token-{self._count}"
