"""The one source of time. Application code receives a `Clock`; tests pass a `ManualClock`."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells what time it is."""

    def now(self) -> datetime:
        """Returns the current instant, aware and in UTC."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        """Returns the current instant, aware and in UTC."""
        return datetime.now(UTC)
