"""Small tools for asyncio: groups, budgets, threads, periodic work."""

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import Final, Self, TypeVar, TypeVarTuple

import structlog

_log = structlog.stdlib.get_logger(__name__)
_T = TypeVar("_T")
_Args = TypeVarTuple("_Args")


@contextmanager
def collapse_group() -> Iterator[None]:
    """Lets a lone error leave a `TaskGroup` as itself. Several errors stay a group."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if error is group:
            raise
        # `from None` would hide the cause the error itself carries.
        raise error from error.__cause__


class ByteBudget:
    """Bounds how many bytes may be held at once, first come first served.

    A hold larger than the whole budget is clamped to it: it waits for everything and runs alone. FIFO means a
    large hold is never starved by small ones behind it. For one event loop; not thread-safe.
    """

    def __init__(self, total: int) -> None:
        if total < 1:
            raise ValueError("A byte budget must be positive.")
        self.total: Final = total
        self._free = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def free(self) -> int:
        """Bytes nobody holds."""
        return self._free

    @property
    def waiting(self) -> int:
        """How many holds wait for their turn."""
        return len(self._waiting)

    @asynccontextmanager
    async def hold(self, size: int) -> AsyncIterator[None]:
        """Waits for its turn, then holds `size` bytes until the block is left."""
        amount = min(max(size, 0), self.total)
        await self._take(amount)
        try:
            yield
        finally:
            self._give(amount)

    async def _take(self, amount: int) -> None:
        if not self._waiting and amount <= self._free:
            self._free -= amount
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (amount, turn)
        self._waiting.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give(amount)  # the turn came in the same moment as the cancellation
            else:
                if entry in self._waiting:  # or it was passed over already
                    self._waiting.remove(entry)
                self._admit()  # whoever stood behind this one may fit
            raise

    def _give(self, amount: int) -> None:
        self._free += amount
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            amount, turn = self._waiting.popleft()
            if turn.cancelled():
                continue
            self._free -= amount
            turn.set_result(None)


class Workers:
    """Runs blocking calls on at most `size` threads.

    A thread cannot be cancelled: when a call times out or its caller leaves, the caller is free at once
    but the thread stays taken until the call returns by itself. Give the library a timeout of its own, too.
    With `niceness` above 0 its threads give way to all others, for work that nobody waits for.
    """

    def __init__(self, size: int, *, name: str = "worker", niceness: int = 0) -> None:
        self._threads = ThreadPoolExecutor(
            max_workers=size, thread_name_prefix=name, initializer=_give_way, initargs=(niceness,)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        # Waiting for the threads would block the loop; what was not started is dropped.
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(
        self,
        func: Callable[[*_Args], _T],
        /,
        *args: *_Args,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - the thread goes on after it, see the class
    ) -> _T:
        """Calls `func(*args)` on a thread and returns what it returns.

        Raises:
            TimeoutError: there was no answer within `timeout`, waiting for a free thread included.
        """
        loop = asyncio.get_running_loop()
        seconds = None if timeout is None else timeout.total_seconds()
        async with asyncio.timeout(seconds):
            return await loop.run_in_executor(self._threads, func, *args)


def _give_way(niceness: int) -> None:
    if niceness > 0:
        # On Linux each thread has a priority of its own; elsewhere the call fails, and all are equal.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


async def gathered(chunks: AsyncIterator[bytes], size: int) -> AsyncIterator[list[bytes]]:
    """Yields chunks in lists of `size` bytes or more in all, the last list whatever is left.

    For work on another thread: each trip there costs about 0.1 ms of CPU, whatever it carries.
    """
    group: list[bytes] = []
    held = 0
    async for chunk in chunks:
        group.append(chunk)
        held += len(chunk)
        if held >= size:
            yield group
            group, held = [], 0
    if group:
        yield group


async def run_every(
    interval: timedelta, action: Callable[[], Awaitable[object]], *, name: str, at_once: bool = True
) -> None:
    """Repeats `action` for ever, `interval` after the end of the one before, failures logged and survived.

    Cancel the task to end it. With `at_once` false the first run comes after one interval.
    """
    if not at_once:
        await asyncio.sleep(interval.total_seconds())
    while True:
        try:
            await action()
        except Exception:  # noqa: BLE001 - one failed round must not end the loop; it is logged with its trace
            _log.exception("periodic.failed", name=name)
        await asyncio.sleep(interval.total_seconds())
