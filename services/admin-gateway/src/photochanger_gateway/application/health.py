"""Whether the platform works, component by component."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Component:
    """One thing the platform stands on. `detail` never holds a secret."""

    name: str
    healthy: bool
    required: bool
    detail: str | None = None


class HealthProbe(Protocol):
    """Looks at some components."""

    async def __call__(self) -> Sequence[Component]:
        """Returns what it found, within about a second. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """What all probes found."""

    components: tuple[Component, ...]

    @property
    def failing(self) -> bool:
        """Whether something required does not work."""
        return any(not component.healthy and component.required for component in self.components)

    @property
    def degraded(self) -> bool:
        """Whether something that can be done without does not work."""
        return any(not component.healthy for component in self.components)


async def check_health(probes: Sequence[HealthProbe]) -> Report:
    """Asks all probes side by side."""
    found = await asyncio.gather(*(probe() for probe in probes))
    return Report(tuple(sorted((item for items in found for item in items), key=lambda item: item.name)))
