"""The instant after which nobody wants the answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    """An absolute instant, set once and passed on, never extended.

    Methods take `now` from the caller's clock, so a deadline itself reads no time.
    """

    at: datetime

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("A deadline needs an aware datetime; use datetime.now(UTC).")

    @classmethod
    def after(cls, clock_now: datetime, length: timedelta) -> Self:
        """Makes the deadline that lies `length` after `clock_now`."""
        return cls(clock_now + length)

    def remaining(self, now: datetime) -> timedelta:
        """Returns the time left, zero once the deadline has passed."""
        return max(self.at - now, timedelta())

    def passed(self, now: datetime) -> bool:
        """Tells whether the deadline has been reached."""
        return now >= self.at

    def minus(self, reserve: timedelta) -> Self:
        """Returns an earlier deadline, which leaves `reserve` for what has to follow."""
        return type(self)(self.at - reserve)
