"""Admins: signing in, tokens, sharing the galleries."""

import asyncio
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.testing.accounts import sign_in, write_account
from photochanger_gateway.testing.platform import SIGNING_KEY, Gateway, Platform, a_gateway, settings_for
from photochanger_gateway.testing.wire import Answer, ask


async def me(port: int, token: str) -> Answer:
    return await ask(port, "/api/me", Authorization=f"Bearer {token}")


async def test_a_right_password_gives_a_token_that_names_the_admin(
    gateway: Gateway, clock: ManualClock
) -> None:
    answer = await sign_in(gateway.port)
    body = answer.json()
    assert (answer.status, body["token_type"], body["expires_in"]) == (200, "bearer", 3600)
    assert answer.headers["cache-control"] == "no-store"
    assert (await me(gateway.port, body["access_token"])).json() == {
        "username": "serg",
        "csrf_token": None,
        "expires_at": rfc3339(clock.now() + timedelta(hours=1)),
    }


@pytest.mark.parametrize("username", ["serg", "nobody"])
async def test_a_wrong_password_is_told_alike_for_any_name(gateway: Gateway, username: str) -> None:
    answer = await sign_in(gateway.port, "a guess", username=username)
    assert (answer.status, answer.json()["failure_reason"]) == (401, "invalid_credentials")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"username":"serg"}', b'{"username":"serg","password":1}']
)
async def test_a_body_that_is_no_credentials_is_refused(gateway: Gateway, body: bytes) -> None:
    answer = await ask(gateway.port, "/api/login", method="POST", body=body, Content_Type="application/json")
    assert (answer.status, answer.json()["failure_reason"]) == (400, "invalid_request")


async def test_a_body_that_is_too_large_is_refused_unread(gateway: Gateway) -> None:
    answer = await sign_in(gateway.port, "x" * 200_000)
    assert (answer.status, answer.json()["failure_reason"]) == (413, "payload_too_large")
    assert answer.headers["connection"] == "close"


async def test_ten_failures_throttle_an_address_on_every_replica_for_15_minutes(
    gateway: Gateway, platform: Platform, clock: ManualClock, nats_url: str, credentials_file: Path
) -> None:
    settings = settings_for(platform, nats_url, credentials_file=credentials_file)
    clock.advance(timedelta(minutes=14))  # near the end of a window, which must not end the throttle
    async with a_gateway(settings, clock) as other:
        for number in range(10):
            replica = (gateway, other)[number % 2]
            assert (await sign_in(replica.port, "a guess")).status == 401
        for replica in (gateway, other):
            answer = await sign_in(replica.port)
            assert (answer.status, answer.json()["failure_reason"]) == (429, "throttled")
            assert answer.headers["retry-after"] == "900"
        assert (await sign_in(other.port, X_Forwarded_For="198.51.100.7")).status == 200
        clock.advance(timedelta(minutes=14, seconds=59))
        assert (await sign_in(other.port)).status == 429
        clock.advance(timedelta(seconds=1))
        assert (await sign_in(other.port)).status == 200


async def test_failures_on_both_sides_of_a_windows_end_count_together(
    gateway: Gateway, clock: ManualClock
) -> None:
    clock.advance(timedelta(minutes=14, seconds=50))
    for _ in range(9):
        assert (await sign_in(gateway.port, "a guess")).status == 401
    clock.advance(timedelta(seconds=20))
    statuses = [(await sign_in(gateway.port, "a guess")).status for _ in range(4)]
    assert statuses == [401, 401, 429, 429]  # the nine count as eight and a bit by now


async def test_guesses_made_at_once_are_no_more_than_guesses_made_in_turn(gateway: Gateway) -> None:
    async with asyncio.TaskGroup() as tasks:
        guesses = [tasks.create_task(sign_in(gateway.port, f"guess {number}")) for number in range(20)]
    statuses = sorted(guess.result().status for guess in guesses)
    assert statuses == [401] * 10 + [429] * 10


async def test_right_passwords_are_not_counted(gateway: Gateway) -> None:
    for _ in range(12):
        assert (await sign_in(gateway.port)).status == 200


async def test_a_changed_password_counts_at_once(gateway: Gateway, credentials_file: Path) -> None:
    assert (await sign_in(gateway.port)).status == 200
    write_account(
        credentials_file, "another one", memory_kib=128
    )  # of another size, whatever the clock's grain
    assert (await sign_in(gateway.port)).status == 401
    assert (await sign_in(gateway.port, "another one")).status == 200


async def test_a_token_ends_after_its_hour(gateway: Gateway, clock: ManualClock) -> None:
    token = (await sign_in(gateway.port)).json()["access_token"]
    clock.advance(timedelta(minutes=59, seconds=59))
    assert (await me(gateway.port, token)).status == 200
    clock.advance(timedelta(seconds=1))
    answer = await me(gateway.port, token)
    assert (answer.status, answer.json()["failure_reason"]) == (401, "token_expired")


async def test_a_new_key_signs_while_the_old_one_still_counts(
    gateway: Gateway, platform: Platform, clock: ManualClock, nats_url: str, credentials_file: Path
) -> None:
    old = (await sign_in(gateway.port)).json()["access_token"]
    new_key = "n" * 32
    both = settings_for(
        platform, nats_url, credentials_file=credentials_file, jwt_signing_key=f"{new_key},{SIGNING_KEY}"
    )
    async with a_gateway(both, clock) as rotated:
        assert (await me(rotated.port, old)).status == 200
        new = (await sign_in(rotated.port)).json()["access_token"]
    assert (await me(gateway.port, new)).json()["failure_reason"] == "invalid_token"
    only_new = settings_for(platform, nats_url, credentials_file=credentials_file, jwt_signing_key=new_key)
    async with a_gateway(only_new, clock) as rotated:
        assert (await me(rotated.port, new)).status == 200
        assert (await me(rotated.port, old)).json()["failure_reason"] == "invalid_token"


def unsigned(clock: ManualClock) -> str:
    """A token by an algorithm that signs nothing."""
    claims = {"sub": "serg", "iss": "photochanger", "aud": "photochanger-admin", "iat": clock.now()}
    return jwt.encode(claims | {"exp": clock.now() + timedelta(hours=1)}, "", algorithm="none")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "missing_token"),
        ("Basic c2VyZzp4", "invalid_token"),
        ("Bearer", "invalid_token"),
        ("Bearer x.y.z", "invalid_token"),
        ("Bearer \xff", "invalid_token"),
        ("unsigned", "invalid_token"),
    ],
)
async def test_what_is_no_token_of_ours_is_refused(
    gateway: Gateway, clock: ManualClock, header: str | None, reason: str
) -> None:
    value = f"Bearer {unsigned(clock)}" if header == "unsigned" else header
    headers = {} if value is None else {"Authorization": value}
    for method, path in (("GET", "/api/me"), ("POST", "/api/gallery/share")):
        answer = await ask(gateway.port, path, method=method, headers=headers)
        assert (answer.status, answer.json()["failure_reason"]) == (401, reason)
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_admin_opens_the_galleries_for_15_minutes(
    gateway: Gateway, platform: Platform, clock: ManualClock
) -> None:
    token = (await sign_in(gateway.port)).json()["access_token"]
    answer = await ask(gateway.port, "/api/gallery/share", method="POST", Authorization=f"Bearer {token}")
    assert (answer.status, answer.json()["status"]) == (200, "enabled")
    until = (clock.now() + timedelta(minutes=15)).isoformat(timespec="milliseconds")
    assert answer.json()["share_until"] == until.replace("+00:00", "Z")
    assert (await ask(gateway.port, "/pub/gallery")).status == 200
