"""Health for probes and operators, by the standard `grpc.health.v1`.

Names that can be asked for: `liveness` (this process answers), `readiness` and the empty name (everything
that is required works), and each check by its own name, e.g. `postgres`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from grpc_health.v1 import _async as health_async
from grpc_health.v1 import health_pb2

_log = structlog.stdlib.get_logger(__name__)

LIVENESS: Final = "liveness"
READINESS: Final = "readiness"
_OVERALL: Final = ""
_INTERVAL: Final = timedelta(seconds=2)
_TIMEOUT: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the service depends on. `probe` raises when it does not work.

    Without an optional one the service is still ready; its state can be asked for by name.
    """

    name: str
    probe: Callable[[], Awaitable[object]]
    required: bool = True


class Health:
    """Runs checks in the background, so that a probe is answered from memory."""

    def __init__(self, checks: Iterable[Check] = ()) -> None:
        self.servicer: Final = health_async.HealthServicer()
        self._checks: Final = tuple(checks)
        self._working: dict[str, bool] = {}
        self._stopping = False

    @property
    def ready(self) -> bool:
        """Whether every required check passed the last time."""
        return all(self._working.get(check.name, False) for check in self._checks if check.required)

    def report(self) -> dict[str, bool]:
        """Returns the last result of each check, by name."""
        return dict(self._working)

    async def run(self) -> None:
        """Repeats the checks until cancelled."""
        await self._set(LIVENESS, working=True)
        while True:
            await self.check_now()
            await asyncio.sleep(_INTERVAL.total_seconds())

    async def check_now(self) -> None:
        """Runs all checks once, side by side."""
        await asyncio.gather(*(self._run_one(check) for check in self._checks))
        await self._set(READINESS, working=self.ready)
        await self._set(_OVERALL, working=self.ready)

    async def stop_serving(self) -> None:
        """Answers NOT_SERVING from here on, but for liveness: a draining process must not be killed."""
        self._stopping = True
        for name in (READINESS, _OVERALL, *(check.name for check in self._checks)):
            await self.servicer.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)

    async def _run_one(self, check: Check) -> None:
        problem = None
        try:
            async with asyncio.timeout(_TIMEOUT.total_seconds()):
                await check.probe()
        except Exception as error:  # noqa: BLE001 - whatever a probe raises means "does not work"
            problem = error
        working = problem is None
        if self._working.get(check.name) is not working:
            if problem is None:
                _log.info("health.check_passed", check=check.name)
            else:
                _log.warning("health.check_failed", check=check.name, error=repr(problem))
        self._working[check.name] = working
        await self._set(check.name, working=working)

    async def _set(self, name: str, *, working: bool) -> None:
        if self._stopping:
            return
        status = (
            health_pb2.HealthCheckResponse.SERVING if working else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        await self.servicer.set(name, status)
