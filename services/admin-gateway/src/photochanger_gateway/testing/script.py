"""What a fake service was asked, and how it is told to answer; lists in pages."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from google.protobuf.message import Message
from photochanger_chassis.errors import ErrorKind, ServiceError

from photochanger_gateway.testing.builders import a_refusal

_Item = TypeVar("_Item")


@dataclass(slots=True)
class Script:
    """What a fake was asked, and how it is told to answer: by method name."""

    calls: list[tuple[str, Message]] = field(default_factory=list)
    refusals: dict[str, ServiceError] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    entered: dict[str, asyncio.Event] = field(default_factory=dict)

    def entering(self, method: str) -> asyncio.Event:
        """An event that is set when the method is called."""
        return self.entered.setdefault(method, asyncio.Event())

    def of(self, method: str) -> list[Message]:
        """The requests of one method, in order."""
        return [request for name, request in self.calls if name == method]

    async def enter(self, method: str, request: Message) -> None:
        """Notes a call and does as told."""
        self.calls.append((method, request))
        self.entering(method).set()
        if method in self.hanging:
            await asyncio.Event().wait()
        if method in self.gates:
            await self.gates[method].wait()
        if method in self.refusals:
            raise self.refusals[method]


def page_of(items: Sequence[_Item], size: int, token: str) -> tuple[Sequence[_Item], str]:
    """A page of items, and the next one's token: the number of its first item."""
    if token and not (token.isascii() and token.isdecimal()):
        raise a_refusal("INVALID_ARGUMENT", ErrorKind.INVALID_ARGUMENT, "page_token is none of ours.")
    start = min(len(items), int(token or 0))
    end = start + size
    return items[start:end], str(end) if end < len(items) else ""
