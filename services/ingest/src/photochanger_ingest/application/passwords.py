"""Checks the ingest password: slow for a stranger, quick for a camera that was let in a moment ago."""

import asyncio
import hmac
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from photochanger_chassis.clock import Clock
from photochanger_chassis.concurrency import Workers

from photochanger_ingest.application.outside import PasswordHasher
from photochanger_ingest.domain.errors import InvalidPassword, PasswordChecksBusy

_REMEMBERED_FOR: Final = timedelta(seconds=60)
_REMEMBERED_AT_MOST: Final = 1024
_WAITING_AT_MOST: Final = 64
_LONGEST_PASSWORD: Final = 256
"""Longer ones are wrong unseen: they would be slow to digest."""


class PasswordCheck:
    """Verifies passwords on a bounded number of threads and remembers the right ones for a minute.

    What is remembered is a keyed digest over the stored hash and the password, under a key of this process: a
    new password has a new hash, so the old one is forgotten at once. Wrong passwords are not remembered. Checks
    beyond what may wait are refused, so that guessing cannot pile up work.
    """

    def __init__(self, hasher: PasswordHasher, workers: Workers, clock: Clock) -> None:
        self._hasher = hasher
        self._workers = workers
        self._clock = clock
        self._key: Final = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, datetime] = OrderedDict()
        self._checking: dict[bytes, asyncio.Task[bool]] = {}

    def remembers(self, password_hash: str | None, password: str) -> bool:
        """Tells whether this password was right for this hash less than a minute ago."""
        if password_hash is None:
            return False
        digest = self._digest(password_hash, password)
        until = self._right.get(digest)
        return until is not None and self._clock.now() < until

    async def require(self, password_hash: str | None, password: str) -> None:
        """Verifies a password. Without a hash to compare with, every password is wrong, after the same work.

        Raises:
            InvalidPassword: it is wrong.
            PasswordChecksBusy: too many checks wait already.
        """
        if self.remembers(password_hash, password):
            return
        if not password or len(password) > _LONGEST_PASSWORD:
            raise InvalidPassword
        digest = self._digest(password_hash or self._hasher.dummy_hash, password)
        # Cameras start together: those with the same password share one check.
        check = self._checking.get(digest)
        if check is None:
            if len(self._checking) >= _WAITING_AT_MOST:
                raise PasswordChecksBusy
            check = asyncio.create_task(self._verify(digest, password_hash, password), name="password-check")
            self._checking[digest] = check
            check.add_done_callback(lambda _: self._checking.pop(digest, None))
        if not await asyncio.shield(check):
            raise InvalidPassword

    async def hash(self, password: str) -> str:
        """Returns the hash of a new password."""
        return await self._workers.run(self._hasher.hash, password)

    async def _verify(self, digest: bytes, password_hash: str | None, password: str) -> bool:
        compared = password_hash or self._hasher.dummy_hash
        right = await self._workers.run(self._hasher.verify, compared, password)
        if password_hash is None or not right:
            return False
        self._right[digest] = self._clock.now() + _REMEMBERED_FOR
        self._right.move_to_end(digest)
        while len(self._right) > _REMEMBERED_AT_MOST:
            self._right.popitem(last=False)
        return True

    def _digest(self, password_hash: str, password: str) -> bytes:
        # The hash has no NUL, so the pair cannot be split in another place.
        return hmac.digest(self._key, f"{password_hash}\0{password}".encode(), "sha256")
