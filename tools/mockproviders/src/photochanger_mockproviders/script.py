"""What a mock answers next: behaviours queued by a test, and the default one behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

K = TypeVar("K", bound=StrEnum)


class Step(StrEnum):
    """The three kinds of request a provider's job is made of. Gemini has only the first."""

    CREATE = "create"
    GET_RESULT = "get_result"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Behaviour(Generic[K]):
    """One way to answer: a set of knobs and the numbers they take.

    `seconds` is how long `slow` waits; `count` how often a "n times, then ok" knob repeats inside one job;
    `reason` replaces the blocking or finish reason, or the error text, of a knob that carries one;
    `retry_delay` is a protobuf duration string; `at` moves a failure to another step of the job.
    """

    knobs: frozenset[K] = frozenset()
    seconds: float = 0.0
    count: int = 1
    reason: str = ""
    retry_delay: str = "26s"
    at: Step | None = None

    def __contains__(self, knob: K) -> bool:
        return knob in self.knobs


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a request when it is matched. Header names are lower case."""

    step: Step
    model: str = ""
    method: str = ""
    prompt: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a scripted behaviour or a gate is for; what is None matches everything.

    `model` is Gemini's, `method` Turbotext's; `prompt` is a part of the prompt's text; `header` a pair of
    name and exact value.
    """

    model: str | None = None
    method: str | None = None
    prompt: str | None = None
    header: tuple[str, str] | None = None
    step: Step | None = None

    def covers(self, facts: Facts) -> bool:
        """Tells whether the request is one of those meant."""
        return (
            (self.model is None or self.model == facts.model)
            and (self.method is None or self.method == facts.method)
            and (self.prompt is None or self.prompt in facts.prompt)
            and (self.step is None or self.step is facts.step)
            and (self.header is None or facts.headers.get(self.header[0].lower()) == self.header[1])
        )


@dataclass(slots=True)
class _Entry(Generic[K]):
    behaviour: Behaviour[K]
    left: int
    matching: Match


class Script(Generic[K]):
    """Behaviours in the order they were scripted, each for so many matching requests, then the default."""

    def __init__(self, default: Behaviour[K]) -> None:
        self.default = default
        self._entries: list[_Entry[K]] = []

    @property
    def left(self) -> int:
        """How many scripted answers nobody has asked for yet."""
        return sum(entry.left for entry in self._entries)

    def add(self, behaviour: Behaviour[K], *, times: int, matching: Match) -> None:
        """Queues a behaviour for the next `times` requests that match."""
        if times < 1:
            raise ValueError("times must be at least 1")
        self._entries.append(_Entry(behaviour, times, matching))

    def take(self, facts: Facts) -> Behaviour[K]:
        """Uses up one scripted answer, or gives the default."""
        for entry in self._entries:
            if entry.matching.covers(facts):
                entry.left -= 1
                if not entry.left:
                    self._entries.remove(entry)
                return entry.behaviour
        return self.default
