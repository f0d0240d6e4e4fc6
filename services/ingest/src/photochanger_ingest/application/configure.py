"""Changes slots and settings. What changes counts from the next photo on, on every replica.

A change that changes nothing makes no version and no event: who saves a form untouched finds nothing new in the
history, and cameras' duplicates are still known as such.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_ingest.application.outside import Providers
from photochanger_ingest.application.passwords import PasswordCheck
from photochanger_ingest.application.store import Page, Store
from photochanger_ingest.application.templates import Templates
from photochanger_ingest.domain.errors import SlotNotFound, SlotVersionNotFound, VersionConflict
from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.rules import password_violations, settings_violations, slot_violations
from photochanger_ingest.domain.settings import Settings
from photochanger_ingest.domain.slot import Slot
from photochanger_ingest.domain.slot_version import SlotVersion, changed_fields


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes something, on which version (0: whatever it is), and the new password.

    `password` None changes none; empty takes a slot's own away.
    """

    updated_by: str
    expected_version: int
    password: str | None = None


class SlotVersions(Protocol):
    """What slots have been."""

    async def get(self, slot_id: SlotId, version: int) -> SlotVersion | None:
        """Returns a version."""
        ...

    async def list(self, slot_id: SlotId, *, limit: int, before: int | None) -> Page[SlotVersion]:
        """Returns a slot's versions, newest first; `before` is the version behind which to go on."""
        ...


class Slots:
    """Reads and changes slots."""

    def __init__(
        self,
        store: Store,
        *,
        versions: SlotVersions,
        templates: Templates,
        providers: Providers,
        passwords: PasswordCheck,
        clock: Clock,
    ) -> None:
        self._store = store
        self._versions = versions
        self._templates = templates
        self._providers = providers
        self._passwords = passwords
        self._clock = clock

    async def get(self, slot_id: SlotId) -> Slot:
        """Returns a slot. Raises `SlotNotFound`."""
        found = await self._store.slot(slot_id)
        if found is None:
            raise SlotNotFound(slot_id)
        return found[0]

    async def list(self) -> tuple[Slot, ...]:
        """Returns all slots by id."""
        return tuple(await self._store.slots())

    async def versions(self, slot_id: SlotId, *, limit: int, before: int | None) -> Page[SlotVersion]:
        """Returns a page of a slot's versions, newest first. Raises `SlotNotFound`."""
        await self.get(slot_id)
        return await self._versions.list(slot_id, limit=limit, before=before)

    async def restore(self, slot_id: SlotId, version: int, change: Change) -> Slot:
        """Makes an older version's values the slot's again, as a new version; its own password stays.

        Raises:
            SlotVersionNotFound: see there.
            Those of `update`: the provider, or a template, may have changed since.
        """
        await self.get(slot_id)
        wanted = await self._versions.get(slot_id, version)
        if wanted is None:
            raise SlotVersionNotFound(slot_id, version)
        return await self.update(slot_id, wanted.restored_to, change, restored_from=version)

    async def update(
        self,
        slot_id: SlotId,
        edit: Callable[[Slot], Slot],
        change: Change,
        *,
        restored_from: int | None = None,
    ) -> Slot:
        """Edits a slot; its version grows by one, unless nothing changes.

        Raises:
            SlotNotFound, VersionConflict, InvalidArgument, TemplateNotFound: see there.
            RemoteError: the provider's schema does not take the settings.
        """
        before = await self.get(slot_id)
        _require_version(change.expected_version, before.version)
        edited = edit(before)
        _refuse(
            [*slot_violations(edited), *password_violations(change.password, may_be_empty=True)],
            change.updated_by,
        )
        if edited.plan != before.plan:
            await self._providers.validate_settings(
                edited.plan.provider_id,
                edited.plan.operation_id,
                edited.plan.settings_json,
                tuple(template.role for template in edited.plan.templates),
            )
        if change.password is not None:
            hashed = await self._passwords.hash(change.password) if change.password else None
            edited = replace(edited, password_hash=hashed)
        if not changed_fields(before, edited):
            return before
        async with self._store.work() as work:
            if edited.plan.templates and edited.plan.templates != before.plan.templates:
                # From here to the commit none is deleted: `Templates.delete` takes the same lock.
                await work.slots.lock_templates()
                await self._templates.require(edited.plan.templates)
            current = await work.slots.lock_slot(slot_id)
            if current is None:
                raise SlotNotFound(slot_id)
            # The edit was checked against the version read above; another one needs another check.
            _require_version(before.version, current.version)
            saved = replace(
                edited,
                version=current.version + 1,
                updated_at=self._clock.now(),
                updated_by=change.updated_by,
            )
            await work.slots.save_slot(saved)
            await work.slots.add_version(SlotVersion.of(saved, current, restored_from=restored_from))
            await work.configuration_events.slot_changed(saved)
        return saved


class PlatformSettings:
    """Reads and changes the platform's settings."""

    def __init__(self, store: Store, passwords: PasswordCheck, clock: Clock) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock

    async def get(self) -> Settings:
        """Returns the settings."""
        return await self._store.settings()

    async def update(self, edit: Callable[[Settings], Settings], change: Change) -> Settings:
        """Edits the settings; their version grows by one, unless nothing changes.

        Raises:
            VersionConflict, InvalidArgument: see there.
        """
        violations = tuple(password_violations(change.password, may_be_empty=False))
        hashed = None
        if change.password and not violations:
            hashed = await self._passwords.hash(change.password)
        async with self._store.work() as work:
            current = await work.slots.lock_settings()
            _require_version(change.expected_version, current.version)
            edited = edit(current)
            _refuse([*settings_violations(edited), *violations], change.updated_by)
            if hashed is not None:
                edited = replace(
                    edited,
                    password_hash=hashed,
                    password_rotated_at=self._clock.now(),
                    password_rotated_by=change.updated_by,
                )
            if edited == current:
                return current
            saved = replace(edited, version=current.version + 1)
            await work.slots.save_settings(saved)
            await work.configuration_events.settings_changed(saved, at=self._clock.now())
        return saved


def _require_version(expected: int, current: int) -> None:
    if expected not in (0, current):
        raise VersionConflict(expected=expected, current=current)


def _refuse(violations: list[FieldViolation], updated_by: str) -> None:
    if not 1 <= len(updated_by) <= 80:  # noqa: PLR2004 - as long as a display name
        violations = [*violations, FieldViolation("updated_by", "1 to 80 characters")]
    if violations:
        raise InvalidArgument("The change cannot be made.", field_violations=tuple(violations))
