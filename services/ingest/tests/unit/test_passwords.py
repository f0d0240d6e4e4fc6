import asyncio
import threading
from datetime import timedelta

import pytest
from photochanger_chassis.concurrency import Workers
from photochanger_chassis.testing import ManualClock
from photochanger_ingest.adapters.argon2 import Argon2Hasher
from photochanger_ingest.application.passwords import PasswordCheck
from photochanger_ingest.domain.errors import InvalidPassword, PasswordChecksBusy


class CountingHasher:
    """Hashes by adding a prefix; counts verifications and can hold them up."""

    dummy_hash = "hash:"

    def __init__(self) -> None:
        self.verified: list[str] = []
        self.go = threading.Event()
        self.go.set()

    def hash(self, password: str) -> str:
        return f"hash:{password}"

    def verify(self, password_hash: str, password: str) -> bool:
        self.go.wait(10)
        self.verified.append(password)
        return password_hash == f"hash:{password}"


async def test_a_right_password_is_hashed_once_a_minute() -> None:
    hasher, clock = CountingHasher(), ManualClock()
    async with Workers(1) as workers:
        check = PasswordCheck(hasher, workers, clock)
        assert not check.remembers("hash:secret", "secret")
        await check.require("hash:secret", "secret")
        await check.require("hash:secret", "secret")
        assert check.remembers("hash:secret", "secret")
        assert len(hasher.verified) == 1
        clock.advance(timedelta(seconds=60))
        assert not check.remembers("hash:secret", "secret")
        await check.require("hash:secret", "secret")
        assert len(hasher.verified) == 2


async def test_a_new_password_voids_the_old_one_at_once() -> None:
    hasher = CountingHasher()
    async with Workers(1) as workers:
        check = PasswordCheck(hasher, workers, ManualClock())
        await check.require("hash:secret", "secret")
        assert not check.remembers("hash:newer", "secret")
        with pytest.raises(InvalidPassword):
            await check.require("hash:newer", "secret")


async def test_wrong_passwords_are_not_remembered() -> None:
    hasher = CountingHasher()
    async with Workers(1) as workers:
        check = PasswordCheck(hasher, workers, ManualClock())
        for _ in range(2):
            with pytest.raises(InvalidPassword):
                await check.require("hash:secret", "guess")
        assert hasher.verified == ["guess", "guess"]


@pytest.mark.parametrize("password", ["anything", "", "x" * 100_000])
async def test_without_a_password_set_every_password_is_wrong(password: str) -> None:
    async with Workers(1) as workers:
        check = PasswordCheck(CountingHasher(), workers, ManualClock())
        with pytest.raises(InvalidPassword):
            await check.require(None, password)
        assert not check.remembers(None, password)


async def test_without_a_password_set_a_check_costs_as_much_as_any() -> None:
    hasher = CountingHasher()
    async with Workers(1) as workers:
        check = PasswordCheck(hasher, workers, ManualClock())
        with pytest.raises(InvalidPassword):
            await check.require(None, "guess")
    assert hasher.verified == ["guess"]


async def test_cameras_that_start_together_share_one_check() -> None:
    hasher = CountingHasher()
    async with Workers(4) as workers:
        check = PasswordCheck(hasher, workers, ManualClock())
        await asyncio.gather(*(check.require("hash:secret", "secret") for _ in range(30)))
    assert len(hasher.verified) == 1


async def test_guesses_cannot_pile_up() -> None:
    hasher = CountingHasher()
    hasher.go.clear()
    async with Workers(1) as workers:
        check = PasswordCheck(hasher, workers, ManualClock())
        guesses = [
            asyncio.create_task(check.require("hash:secret", f"guess {number}")) for number in range(100)
        ]
        await asyncio.wait(guesses, return_when=asyncio.FIRST_COMPLETED)
        refused = sum(guess.done() for guess in guesses)
        hasher.go.set()
        kinds = [type(answer) for answer in await asyncio.gather(*guesses, return_exceptions=True)]
    assert refused == 36
    assert kinds.count(PasswordChecksBusy) == 36
    assert kinds.count(InvalidPassword) == 64


async def test_a_caller_that_leaves_takes_nobody_elses_check_along() -> None:
    hasher = CountingHasher()
    hasher.go.clear()
    async with Workers(1) as workers:
        check = PasswordCheck(hasher, workers, ManualClock())
        first = asyncio.create_task(check.require("hash:secret", "secret"))
        second = asyncio.create_task(check.require("hash:secret", "secret"))
        await asyncio.sleep(0)
        first.cancel()
        hasher.go.set()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first


def test_argon2_knows_its_own_hashes_and_no_others() -> None:
    hasher = Argon2Hasher("pepper")
    hashed = hasher.hash("секрет")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hasher.verify(hashed, "секрет")
    assert not hasher.verify(hashed, "secret")
    assert not hasher.verify(hasher.dummy_hash, "")
    assert not hasher.verify("not a hash", "секрет")
    assert not Argon2Hasher("other pepper").verify(hashed, "секрет")
