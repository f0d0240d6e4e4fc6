"""What a provider can do, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NewType, TypeAlias

ProviderId = NewType("ProviderId", str)
OperationId = NewType("OperationId", str)

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class TemplateRole:
    """A template image an operation can use. `max_count` 0: no limit of ours."""

    id: str
    title: str
    required: bool = False
    max_count: int = 1


@dataclass(frozen=True, slots=True)
class Operation:
    """What a slot can ask of a provider.

    `settings_schema` is JSON Schema (draft 2020-12) of an object that names all its properties
    (`additionalProperties: false`), with a default for each that is not required. A string property marked
    `"x-placeholders": true` may hold `{{field}}` and `{{field|default}}`; drivers get it already rendered.
    A property named `model` tells which of the provider's models is asked: failures are counted per model.
    """

    id: OperationId
    title: str
    settings_schema: JsonObject
    template_roles: tuple[TemplateRole, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """What the catalogue tells of a provider.

    `default_base_url` empty: it uses no network. `requires_public_media`: it fetches pictures itself, by
    links. `max_parallel` bounds calls under way over all replicas; None: as many as the machine has cores.
    """

    id: ProviderId
    title: str
    operations: tuple[Operation, ...]
    default_base_url: str = ""
    needs_key: bool = True
    requires_public_media: bool = False
    max_parallel: int | None = 30

    def operation(self, operation_id: str) -> Operation | None:
        """Returns the operation of that id, if there is one."""
        return next((each for each in self.operations if each.id == operation_id), None)
