"""Sessions: cookies, requests forged by other sites, ends, and a record of who came and went."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

import nats
import pytest
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.testing import ManualClock
from photochanger_devstack.testing.servers import OwnNats
from photochanger_gateway.testing.accounts import (
    ADMIN_PASSWORD,
    bearer,
    browser,
    hash_of,
    remove_accounts,
    sign_in,
    write_account,
)
from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.platform import SIGNING_KEY, Gateway, Platform, a_gateway, settings_for
from photochanger_gateway.testing.wire import Answer, ask, post_photo


async def me(port: int, headers: dict[str, str]) -> Answer:
    return await ask(port, "/api/me", headers=headers)


async def share(port: int, headers: dict[str, str]) -> Answer:
    return await ask(port, "/api/gallery/share", method="POST", headers=headers)


async def log_out(port: int, headers: dict[str, str]) -> Answer:
    return await ask(port, "/api/logout", method="POST", headers=headers)


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["failure_reason"]


@pytest.fixture
async def fresh(
    platform: Platform, clock: ManualClock, nats_url: str, credentials_file: Path
) -> AsyncIterator[Gateway]:
    """A gateway with a signing key of its own: it knows no address yet."""
    settings = settings_for(
        platform, nats_url, credentials_file=credentials_file, jwt_signing_key=token_hex(32)
    )
    async with a_gateway(settings, clock) as gateway:
        yield gateway


async def test_a_browser_gets_a_cookie_that_scripts_cannot_read_and_no_token(gateway: Gateway) -> None:
    answer = await sign_in(gateway.port, X_PhotoChanger_Client="web")
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["username"]) == ("cookie", 12 * 3600, "serg")
    assert "access_token" not in body
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert name == "photochanger"
    assert {item.strip() for item in rest.split(";")[1:]} == {
        "HttpOnly",
        "Max-Age=43200",
        "Path=/",
        "SameSite=strict",
    }
    assert rest.split(";")[0] not in answer.body.decode()


async def test_over_https_the_cookie_is_bound_to_the_host(gateway: Gateway) -> None:
    answer = await sign_in(gateway.port, X_PhotoChanger_Client="web", X_Forwarded_Proto="https")
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert cookie.startswith("__Host-photochanger=")
    assert "Secure" in attributes
    secure = {"Cookie": cookie, "X-Forwarded-Proto": "https"}
    assert (await me(gateway.port, secure)).status == 200
    planted = {"Cookie": cookie.removeprefix("__Host-"), "X-Forwarded-Proto": "https"}
    assert refusal(await me(gateway.port, planted)) == (401, "missing_token")


async def test_a_browser_is_told_its_csrf_token_again(gateway: Gateway) -> None:
    session = await browser(gateway.port)
    assert (await me(gateway.port, session.reading)).json()["csrf_token"] == session.csrf_token


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://gateway"}, 403),
        ({"Origin": "http://gateway"}, 200),
        ({"Origin": "http://gateway.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
async def test_only_a_page_of_ours_may_use_the_cookie_to_change_things(
    gateway: Gateway, headers: dict[str, str], status: int
) -> None:
    session = await browser(gateway.port)
    sent = {"Cookie": session.cookie, "X-CSRF-Token": session.csrf_token} | headers
    assert (await share(gateway.port, sent)).status == status


@pytest.mark.parametrize("token", [None, "", "0" * 64, "\xff", "another session's"])
async def test_the_cookie_changes_nothing_without_its_own_csrf_token(
    gateway: Gateway, platform: Platform, token: str | None
) -> None:
    session = await browser(gateway.port)
    headers = {"Cookie": session.cookie, "Sec-Fetch-Site": "same-origin"}
    if token == "another session's":
        token = (await browser(gateway.port)).csrf_token
    if token is not None:
        headers["X-CSRF-Token"] = token
    assert refusal(await share(gateway.port, headers)) == (403, "csrf_failed")
    assert platform.ingest.script.of("ShareGalleries") == []


async def test_a_bearer_token_counts_where_a_cookie_comes_with_it(gateway: Gateway) -> None:
    session = await browser(gateway.port)
    api = await bearer(gateway.port)
    assert (await share(gateway.port, session.reading | api)).status == 200  # needs no CSRF token
    wrong = session.changing | {"Authorization": "Bearer x.y.z"}
    assert refusal(await share(gateway.port, wrong)) == (401, "invalid_token")


async def test_a_token_counts_only_the_way_it_was_given(gateway: Gateway) -> None:
    session = await browser(gateway.port)
    as_bearer = {"Authorization": f"Bearer {session.cookie.partition('=')[2]}"}
    assert refusal(await share(gateway.port, as_bearer)) == (401, "invalid_token")
    token = (await bearer(gateway.port))["Authorization"].removeprefix("Bearer ")
    as_cookie = {"Cookie": f"photochanger={token}"}
    assert refusal(await me(gateway.port, as_cookie)) == (401, "invalid_token")


async def test_a_browsers_session_ends_after_12_hours(gateway: Gateway, clock: ManualClock) -> None:
    session = await browser(gateway.port)
    clock.advance(timedelta(hours=11, minutes=59, seconds=59))
    assert (await me(gateway.port, session.reading)).status == 200
    clock.advance(timedelta(seconds=1))
    assert refusal(await me(gateway.port, session.reading)) == (401, "token_expired")


async def test_logging_out_ends_one_session_on_every_replica(
    gateway: Gateway, platform: Platform, clock: ManualClock, nats_url: str, credentials_file: Path
) -> None:
    settings = settings_for(platform, nats_url, credentials_file=credentials_file)
    async with a_gateway(settings, clock) as other:
        session, api, stays = (
            await browser(gateway.port),
            await bearer(gateway.port),
            await bearer(other.port),
        )
        answer = await log_out(gateway.port, session.changing)
        assert answer.status == 204
        assert answer.headers["set-cookie"].startswith('photochanger=""; HttpOnly; Max-Age=0')
        assert (await log_out(gateway.port, api)).status == 204
        for replica in (gateway, other):
            assert refusal(await me(replica.port, session.reading)) == (401, "invalid_token")
            assert refusal(await me(replica.port, api)) == (401, "invalid_token")
            assert (await me(replica.port, stays)).status == 200


@pytest.mark.parametrize("removed", [False, True])
async def test_another_password_or_no_account_ends_all_its_sessions(
    gateway: Gateway, credentials_file: Path, *, removed: bool
) -> None:
    session, api = await browser(gateway.port), await bearer(gateway.port)
    if removed:
        remove_accounts(credentials_file)
    else:
        write_account(credentials_file, ADMIN_PASSWORD, memory_kib=128)  # even the same one, set again
    for headers in (session.reading, api):
        assert refusal(await me(gateway.port, headers)) == (401, "invalid_token")


async def test_keys_are_rotated_without_signing_anybody_out(
    gateway: Gateway, platform: Platform, clock: ManualClock, nats_url: str, credentials_file: Path
) -> None:
    session = await browser(gateway.port)
    both = settings_for(
        platform, nats_url, credentials_file=credentials_file, jwt_signing_key=f"{'n' * 32},{SIGNING_KEY}"
    )
    async with a_gateway(both, clock) as rotated:
        assert (await share(rotated.port, session.changing)).status == 200
        renewed = (await me(rotated.port, session.reading)).json()["csrf_token"]
        assert renewed != session.csrf_token
        assert (await share(rotated.port, session.changing | {"X-CSRF-Token": renewed})).status == 200


@pytest.mark.timeout(120)
async def test_a_nats_that_is_away_shuts_admins_out_and_no_camera(
    platform: Platform, clock: ManualClock, credentials_file: Path, own_nats: Callable[[], OwnNats]
) -> None:
    server = await asyncio.to_thread(own_nats)
    settings = settings_for(platform, server.url, credentials_file=credentials_file)
    async with a_gateway(settings, clock) as gateway:
        api = await bearer(gateway.port)
        await asyncio.to_thread(server.stop)
        for answer in (await me(gateway.port, api), await sign_in(gateway.port)):
            assert refusal(answer) == (503, "storage_unavailable")
            assert answer.headers["retry-after"] == "2"
        assert (await post_photo(gateway.port)).status == 200
        await asyncio.to_thread(server.start)
        assert (await until(200, lambda: me(gateway.port, api))).json()["username"] == "serg"

        await asyncio.to_thread(server.wipe)  # and a store that was lost signs everybody out
        await asyncio.to_thread(server.start)
        answer = await until(401, lambda: me(gateway.port, api))
        assert answer.json()["failure_reason"] == "invalid_token"
        assert (await sign_in(gateway.port)).status == 200


async def until(status: int, ask_once: Callable[[], Awaitable[Answer]]) -> Answer:
    """Asks until the answer has the status; the test's time limit bounds it."""
    while True:
        answer = await ask_once()
        if answer.status == status:
            return answer
        await asyncio.sleep(0.05)


async def test_what_nats_keeps_names_neither_addresses_nor_passwords(
    fresh: Gateway, nats_url: str, credentials_file: Path
) -> None:
    address = "198.51.100.23"
    assert (await sign_in(fresh.port, X_Forwarded_For=address)).status == 200
    client = await nats.connect(nats_url)
    kept = b""
    for name in ("known-addresses", "admin-sessions"):
        bucket = await client.jetstream().key_value(name)
        for key in await bucket.keys():
            kept += key.encode() + ((await bucket.get(key)).value or b"")
    await client.close()
    assert address.encode() not in kept
    assert hash_of(credentials_file).encode() not in kept


async def guess_from_ten_addresses(port: int) -> None:
    for number in range(10):
        answer = await sign_in(port, "a guess", X_Forwarded_For=f"203.0.113.{number}")
        assert answer.status == 401


async def test_guesses_from_many_addresses_throttle_the_account_but_not_where_its_owner_works(
    fresh: Gateway, clock: ManualClock
) -> None:
    assert (await sign_in(fresh.port, X_Forwarded_For="192.0.2.1")).status == 200
    await guess_from_ten_addresses(fresh.port)
    assert refusal(await sign_in(fresh.port, X_Forwarded_For="192.0.2.2")) == (429, "throttled")
    assert (await sign_in(fresh.port, X_Forwarded_For="192.0.2.1")).status == 200
    other = await sign_in(fresh.port, username="olga", X_Forwarded_For="192.0.2.2")
    assert refusal(other) == (401, "invalid_credentials")
    clock.advance(timedelta(minutes=15))
    assert (await sign_in(fresh.port, X_Forwarded_For="192.0.2.2")).status == 200


async def test_an_account_that_does_not_exist_is_throttled_alike(fresh: Gateway) -> None:
    for number in range(10):
        answer = await sign_in(
            fresh.port, "a guess", username="nobody", X_Forwarded_For=f"203.0.113.{number}"
        )
        assert answer.status == 401
    answer = await sign_in(fresh.port, username="nobody", X_Forwarded_For="192.0.2.9")
    assert refusal(answer) == (429, "throttled")


async def test_an_address_the_account_works_from_has_its_own_ten_guesses(fresh: Gateway) -> None:
    assert (await sign_in(fresh.port, X_Forwarded_For="192.0.2.1")).status == 200
    for _ in range(10):
        assert (await sign_in(fresh.port, "a guess", X_Forwarded_For="192.0.2.1")).status == 401
    assert (await sign_in(fresh.port, X_Forwarded_For="192.0.2.1")).status == 429
    assert (await sign_in(fresh.port, X_Forwarded_For="192.0.2.2")).status == 200


async def test_the_record_tells_who_came_who_went_and_who_was_turned_away(
    fresh: Gateway, platform: Platform
) -> None:
    api = await bearer(fresh.port)
    await log_out(fresh.port, api)
    for _ in range(10):
        await sign_in(fresh.port, "a guess", username="olga")
    for _ in range(3):
        await sign_in(fresh.port, "a guess", username="olga")
    assert platform.audit.told() == [
        ("serg", "auth.login", "done"),
        ("serg", "auth.logout", "done"),
        *[("olga", "auth.login", "invalid_credentials")] * 10,
        ("olga", "auth.login", "throttled"),
    ]
    assert {entry.address for entry in platform.audit.entries.values()} == {"127.0.0.1"}


async def test_nobody_is_kept_from_signing_in_or_out_because_the_record_is_away(
    gateway: Gateway, platform: Platform, log_lines: list[str]
) -> None:
    platform.audit.script.refusals["OpenAuditEntry"] = a_refusal("INTERNAL", ErrorKind.INTERNAL)
    assert (await log_out(gateway.port, await bearer(gateway.port))).status == 204
    assert sum("audit.not_written" in line for line in log_lines) == 2


async def test_a_change_is_recorded_before_and_after(gateway: Gateway, platform: Platform) -> None:
    api = await bearer(gateway.port)
    assert (await share(gateway.port, api)).status == 200
    assert platform.audit.told()[-1] == ("serg", "gallery.share", "done")


@pytest.mark.parametrize(
    ("kind", "outcome"), [(ErrorKind.FAILED_PRECONDITION, "no_such_luck"), (ErrorKind.UNAVAILABLE, "unknown")]
)
async def test_a_refused_change_is_recorded_as_refused_and_one_cut_off_as_unknown(
    gateway: Gateway, platform: Platform, kind: ErrorKind, outcome: str
) -> None:
    api = await bearer(gateway.port)
    platform.ingest.script.refusals["ShareGalleries"] = a_refusal("NO_SUCH_LUCK", kind)
    assert (await share(gateway.port, api)).status >= 400
    assert platform.audit.told()[-1] == ("serg", "gallery.share", outcome)


async def test_nothing_is_changed_that_cannot_be_recorded(gateway: Gateway, platform: Platform) -> None:
    api = await bearer(gateway.port)
    platform.audit.script.refusals["OpenAuditEntry"] = a_refusal("INTERNAL", ErrorKind.INTERNAL)
    assert (await share(gateway.port, api)).status == 500
    assert platform.ingest.script.of("ShareGalleries") == []


async def test_a_change_that_is_made_stays_made_when_its_record_cannot_be_closed(
    gateway: Gateway, platform: Platform
) -> None:
    api = await bearer(gateway.port)
    platform.audit.script.refusals["CloseAuditEntry"] = a_refusal("INTERNAL", ErrorKind.INTERNAL)
    assert (await share(gateway.port, api)).status == 200
    assert platform.audit.told()[-1] == ("serg", "gallery.share", "unknown")
