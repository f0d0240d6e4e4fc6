"""Child processes of the benchmark that take commands: a line of JSON in, a line of JSON out."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Message = dict[str, object]


class Worker:
    """A child that runs `module` and answers one command at a time. A context manager that ends it."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._argv = (sys.executable, "-m", module, *arguments)
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.stdin is not None:
            # The end of its commands is its end.
            self._process.stdin.close()
            self._process.wait(20)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running().pid

    def ask(self, command: Message) -> Message:
        """Sends a command and waits for the answer. Raises `RuntimeError` when the child has ended."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{' '.join(self._argv)} ended with {process.wait()}.")
        message: Message = json.loads(answer)
        return message

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("The worker has not been started.")
        return self._process


async def serve_commands(handle: Callable[[Message], Awaitable[Message]]) -> None:
    """The child's side: answers commands from stdin until there are no more."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        answer = await handle(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
