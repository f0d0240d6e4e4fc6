"""What providers there are and what they can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ProviderState(StrEnum):
    """Where a provider stands."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    NOT_CONFIGURED = "not_configured"


@dataclass(frozen=True, slots=True)
class TemplateRole:
    """A template image an operation can use. A `max_count` of 0 is no limit."""

    id: str
    title: str
    required: bool
    max_count: int


@dataclass(frozen=True, slots=True)
class Operation:
    """What a slot can ask of a provider. `settings_schema` is JSON Schema, draft 2020-12."""

    id: str
    title: str
    settings_schema: Mapping[str, object]
    roles: tuple[TemplateRole, ...]

    @property
    def uses_prompt(self) -> bool:
        """Whether its settings have a prompt, where placeholders of form fields stand."""
        properties = self.settings_schema.get("properties")
        return isinstance(properties, Mapping) and "prompt" in properties


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """How a provider did when it was last looked at."""

    state: ProviderState
    detail: str
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Provider:
    """An outside AI service, or the one on this machine."""

    id: str
    title: str
    operations: tuple[Operation, ...]
    configured: bool
    requires_public_media: bool
    health: ProviderHealth
