"""Checks an ingest password while the photo is still on its way."""

from photochanger_ingest.application.passwords import PasswordCheck
from photochanger_ingest.application.store import Store
from photochanger_ingest.domain.errors import SlotNotFound
from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.settings import Terms


class VerifyPassword:
    """Checks a slot's password. Nothing is stored."""

    def __init__(self, store: Store, passwords: PasswordCheck) -> None:
        self._store = store
        self._passwords = passwords

    async def __call__(self, slot_id: SlotId, password: str) -> None:
        """Returns when the password is right. Raises `SlotNotFound`, `InvalidPassword`, `PasswordChecksBusy`."""
        found = await self._store.slot(slot_id)
        if found is None:
            raise SlotNotFound(slot_id)
        await self._passwords.require(Terms.of(*found).password_hash, password)
