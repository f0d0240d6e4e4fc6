"""Reading a stream that comes in pieces of any size, without I/O.

A parser is written as if all bytes were there, as a generator; it pauses (`yield`) where they are not there
yet. What it does therefore cannot depend on where the pieces were cut.
"""

import re
from collections.abc import Callable, Generator, Iterator
from typing import TypeAlias, TypeVar

from photochanger_imaging.errors import BrokenImage, ImageError

_SLICE_BYTES = 256 * 1024

T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]
"""A parser that pauses when it needs more bytes and returns a T in the end."""
Emit: TypeAlias = Callable[[bytes], None]


class Intake:
    """The bytes that have arrived and are not consumed yet: at most one piece plus what a parser asked for
    at once.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._ended = False

    def feed(self, chunk: bytes) -> None:
        """Adds the next piece."""
        self._data += chunk

    def clear(self) -> None:
        """Forgets what is there: nobody will ask for it."""
        self._data.clear()

    def end(self) -> None:
        """Says that nothing more will come: from now on a parser that needs more fails."""
        self._ended = True

    def take(self, size: int) -> Steps[bytes]:
        """Consumes exactly `size` bytes. Raises BrokenImage when the stream ends before."""
        while len(self._data) < size:
            yield from self._more()
        taken = bytes(memoryview(self._data)[:size])
        del self._data[:size]
        return taken

    def pass_on(self, size: int, emit: Emit) -> Steps[None]:
        """Hands `size` bytes to `emit` as they come, holding none back."""
        while size > 0:
            if not self._data:
                yield from self._more()
            piece = bytes(memoryview(self._data)[:size])
            del self._data[:size]
            size -= len(piece)
            emit(piece)

    def skip(self, size: int) -> Steps[None]:
        """Drops `size` bytes as they come."""
        yield from self.pass_on(size, _drop)

    def until_marker(self, pattern: re.Pattern[bytes], emit: Emit | None = None) -> Steps[int]:
        """Consumes up to and including the next two-byte match of `pattern`, which starts with FF; returns
        its second byte.

        What comes before goes to `emit`, or nowhere. The search runs in C: hostile padding costs no Python
        loop.
        """
        pass_to = emit or _drop
        while True:
            found = pattern.search(self._data)
            if found is not None:
                start = found.start()
                code = self._data[start + 1]
                if start:
                    pass_to(bytes(memoryview(self._data)[:start]))
                del self._data[: start + 2]
                return code
            ready = len(self._data) - self._data.endswith(b"\xff")
            if ready:
                pass_to(bytes(memoryview(self._data)[:ready]))
                del self._data[:ready]
            yield from self._more()

    def _more(self) -> Steps[None]:
        if self._ended:
            raise BrokenImage("it ends too early")
        yield


class Stepper:
    """Drives one parser over one intake, and remembers how it ended."""

    def __init__(self, intake: Intake, parser: Steps[T]) -> None:
        self._intake = intake
        self._parser = parser
        self._error: ImageError | None = None
        self.done = False

    def advance(self, chunk: bytes) -> None:
        """Feeds the parser until it pauses or is done; later bytes are ignored. A failure is raised again
        each time.
        """
        if self._error is not None:
            raise self._error
        if self.done:
            return
        self._intake.feed(chunk)
        try:
            next(self._parser)
        except StopIteration:
            self.done = True
            self._intake.clear()
        except ImageError as error:
            self._error = error
            raise

    def end(self) -> None:
        """Runs the parser to its end on what is there. Raises BrokenImage when that is not enough."""
        self._intake.end()
        self.advance(b"")


def slices(data: bytes) -> Iterator[bytes]:
    """Data in memory as a stream: a parser copies what it is fed; a whole photo would be a lot."""
    return (data[at : at + _SLICE_BYTES] for at in range(0, len(data), _SLICE_BYTES))


def _drop(_piece: bytes) -> None:
    pass
