"""What the work on one photo has come to so far, known at any moment and told however it ends."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from photochanger_providers.domain.order import Effort, Stage


class WorkLog:
    """Notes stages as they begin and end, and calls of the provider. For one task at a time."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._clock = seconds
        self.provider_calls = 0
        self._seconds: dict[str, float] = {}
        self._within = 0.0

    @property
    def effort(self) -> Effort:
        """What has been noted: stages in the order in which they began."""
        stages = (Stage(name, timedelta(seconds=seconds)) for name, seconds in self._seconds.items())
        return Effort(self.provider_calls, tuple(stages))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times the block, without the stages within it; a stage that comes again adds up."""
        self._seconds.setdefault(name, 0.0)
        before, self._within = self._within, 0.0
        began = self._clock()
        try:
            yield
        finally:
            length = self._clock() - began
            self._seconds[name] += length - self._within
            self._within = before + length
