"""Asking the storage, or our own database, again while it is away for a moment."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import Unavailable

from photochanger_providers.application.ports import Pause
from photochanger_providers.domain.errors import StorageUnavailable

_T = TypeVar("_T")
_FIRST_PAUSE: Final = timedelta(milliseconds=200)
_LONGEST_PAUSE: Final = timedelta(seconds=1.6)


async def insist(
    action: Callable[[], Awaitable[_T]], *, deadline: Deadline, clock: Clock, pause: Pause
) -> _T:
    """Repeats an action that fails with what passes by itself, until the deadline. It may be done twice.

    That is `Unavailable`, and a `StorageUnavailable` that carries `retry_after`.

    Raises:
        StorageUnavailable, Unavailable: the last one.
    """
    delay = _FIRST_PAUSE
    while True:
        try:
            return await action()
        except (StorageUnavailable, Unavailable) as error:
            if error.retry_after is None or deadline.remaining(clock.now()) <= delay * 2:
                raise
        await pause(delay)
        delay = min(delay * 2, _LONGEST_PAUSE)
