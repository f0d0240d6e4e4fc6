"""Checks an ingest password while the photo is still on its way."""

from photochanger_ingest.application.passwords import PasswordCheck
from photochanger_ingest.application.store import Store
from photochanger_ingest.domain.errors import SlotNotFound
from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.settings import Terms


class VerifyPassword:
    """Checks a slot's password. Nothing is stored.

    Nothing rests on it either, admission checks again: so a hash of a moment ago is as good, as long as it says yes.
    """

    def __init__(self, store: Store, passwords: PasswordCheck) -> None:
        self._store = store
        self._passwords = passwords
        self._hashes: dict[SlotId, str] = {}

    async def __call__(self, slot_id: SlotId, password: str) -> None:
        """Returns when the password is right. Raises `SlotNotFound`, `InvalidPassword`, `PasswordChecksBusy`."""
        if self._passwords.remembers(self._hashes.get(slot_id), password):
            return
        found = await self._store.slot(slot_id)
        if found is None:
            raise SlotNotFound(slot_id)
        password_hash = Terms.of(*found).password_hash
        await self._passwords.require(password_hash, password)
        if password_hash is not None:
            self._hashes[slot_id] = password_hash
