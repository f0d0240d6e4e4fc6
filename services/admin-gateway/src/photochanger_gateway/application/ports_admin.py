"""What the admins' routes need of the other services. The adapters in `adapters/clients` keep these promises.

Every method raises `ServiceError` with the owning service's reason. `expected_version` is the one a change was made
on; 0: whatever it is now. `by` is the admin's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from photochanger_gateway.domain.configuration import Limits, PlatformSettings, ProviderKey, SettingsEdit
from photochanger_gateway.domain.providers import Provider
from photochanger_gateway.domain.slots import Slot, SlotActivity, SlotEdit, SlotVersion

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list: at most `size` items, from where `cursor` (of a former page; empty: the start) says."""

    size: int
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """Items of a list. `next_cursor` is empty where there are no more."""

    items: tuple[_Item, ...]
    next_cursor: str


class Slots(Protocol):
    """The slots and their templates."""

    async def get(self, slot_id: str) -> Slot:
        """Returns a slot."""
        ...

    async def list(self) -> tuple[Slot, ...]:
        """Returns all slots by id."""
        ...

    async def activity(self) -> Mapping[str, SlotActivity]:
        """Returns what goes on in every slot, by id."""
        ...

    async def update(self, slot_id: str, edit: SlotEdit, *, expected_version: int, by: str) -> Slot:
        """Changes a slot and returns it."""
        ...

    async def versions(self, slot_id: str, page: PageRequest) -> Page[SlotVersion]:
        """Returns a slot's versions, newest first."""
        ...

    async def restore(self, slot_id: str, version: int, *, expected_version: int, by: str) -> Slot:
        """Makes an older version's values the slot's again."""
        ...

    async def delete_template(self, media_object_id: str) -> None:
        """Deletes a template that no slot uses. Deleting twice is no error."""
        ...


class Configuration(Protocol):
    """The platform's settings."""

    async def get(self) -> PlatformSettings:
        """Returns the settings."""
        ...

    async def update(
        self, edit: SettingsEdit, limits: Limits | None, *, expected_version: int, by: str
    ) -> PlatformSettings:
        """Changes settings. `limits` are all limits after the change, None where it names none."""
        ...


class Catalogue(Protocol):
    """The providers and their keys."""

    async def list(self) -> tuple[Provider, ...]:
        """Returns all providers by id."""
        ...

    async def keys(self) -> tuple[ProviderKey, ...]:
        """Tells which keys there are; never a key."""
        ...

    async def set_key(self, provider: str, key: str, *, by: str) -> None:
        """Stores or replaces a key."""
        ...

    async def delete_key(self, provider: str) -> None:
        """Takes a stored key away."""
        ...
