"""How many processes there are of what can be scaled. Kept beside the stack's state, through `down` and `up`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from photochanger_devstack.stack.layout import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochanger_devstack.stack.layout import Layout
    from photochanger_devstack.stack.services import Service

DEFAULT = 1


def read_scale(layout: Layout) -> dict[str, int]:
    """What `photochanger scale` was told, by group; a group that is missing has one process."""
    try:
        known = json.loads(layout.scale.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {name: int(count) for name, count in known.items()} if isinstance(known, dict) else {}


def write_scale(layout: Layout, counts: dict[str, int]) -> None:
    """Remembers how many processes each group has."""
    write_atomically(layout.scale, json.dumps(counts, indent=2))


def wanted(services: Sequence[Service], counts: dict[str, int]) -> list[Service]:
    """The services that are to run."""
    return [
        service
        for service in services
        if not service.group or service.number <= counts.get(service.group, DEFAULT)
    ]
