"""An admin changes the platform's settings, which live in two services."""

from collections.abc import Mapping
from typing import Final

from photochanger_chassis.errors import ServiceError

from photochanger_gateway.application.audit import Audit
from photochanger_gateway.application.ports_admin import Catalogue, Configuration
from photochanger_gateway.domain.admins import Admin
from photochanger_gateway.domain.configuration import PlatformSettings, SettingsEdit

_TRIES: Final = 3
"""Of a change of some limits, where somebody else changes others at the same moment."""


class ChangeSettings:
    """Stores providers' keys, then changes settings: each key, and the settings, is a change of its own."""

    def __init__(self, configuration: Configuration, catalogue: Catalogue, audit: Audit) -> None:
        self._configuration = configuration
        self._catalogue = catalogue
        self._audit = audit

    async def __call__(
        self, admin: Admin, edit: SettingsEdit, keys: Mapping[str, str | None], *, expected_version: int
    ) -> PlatformSettings:
        """Returns the settings since then. A key of None is taken away.

        Keys that were stored stay stored when the settings are refused.

        Raises:
            ServiceError: what the owning services refused.
        """
        for provider, key in keys.items():
            action = "provider-key.delete" if key is None else "provider-key.set"
            async with self._audit.entry(admin, action, target=provider):
                if key is None:
                    await self._catalogue.delete_key(provider)
                else:
                    await self._catalogue.set_key(provider, key, by=admin.username)
        if not edit.names:
            return await self._configuration.get()
        facts = {"fields": ", ".join(edit.names)}
        async with self._audit.entry(admin, "settings.update", facts=facts) as entry:
            settings = await self._change(edit, expected_version, admin.username)
            entry.add(version=str(settings.version))
        return settings

    async def _change(self, edit: SettingsEdit, expected_version: int, by: str) -> PlatformSettings:
        if edit.limits is None:
            return await self._configuration.update(edit, None, expected_version=expected_version, by=by)
        for tries_left in reversed(range(_TRIES)):
            current = await self._configuration.get()
            try:
                return await self._configuration.update(
                    edit,
                    edit.limits.applied_to(current.limits),
                    expected_version=expected_version or current.version,
                    by=by,
                )
            except ServiceError as error:
                if error.reason != "VERSION_CONFLICT" or expected_version or not tries_left:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")
