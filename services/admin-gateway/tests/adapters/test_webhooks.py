"""Clients' webhook secrets and deliveries, as programs and admins see them."""

from datetime import timedelta
from functools import partial

import pytest
from photochanger.ingest.v1 import api_key_service_pb2, webhook_service_pb2
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.domain.webhooks import NewWebhookSecret, WebhookSecret
from photochanger_gateway.testing.admin_api import AdminApi
from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.platform import Gateway, Platform
from photochanger_gateway.testing.program import PHOTO, SLOT, Program
from photochanger_gateway.testing.wire import Answer

SECRET = "/api/v1/webhooks/secret"
OWN = "/api/v1/webhooks/deliveries"
ALL = "/api/webhooks/deliveries"
BOOKS, PRINTS = "b" * 32, "c" * 32
UNKNOWN = "msg_" + "0" * 32
FAILED = webhook_service_pb2.WEBHOOK_DELIVERY_STATE_FAILED
PENDING = webhook_service_pb2.WEBHOOK_DELIVERY_STATE_PENDING


@pytest.fixture
def program(gateway: Gateway, platform: Platform) -> Program:
    return Program(gateway.port, platform.api_keys.add(client_id=BOOKS))


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["failure_reason"]


def ids(answer: Answer) -> list[str]:
    return [delivery["id"] for delivery in answer.json()["deliveries"]]


async def test_a_secret_is_shown_once_and_changed_for_another(
    program: Program, clock: ManualClock, log_lines: list[str]
) -> None:
    assert refused(await program.get(SECRET)) == (404, "webhook_secret_not_found")
    made = await program.post(SECRET)
    assert (made.status, made.headers["cache-control"]) == (201, "no-store")
    since = {"created_at": rfc3339(clock.now()), "previous_expires_at": None}
    assert {name: made.json()[name] for name in since} == since
    assert (await program.get(SECRET)).json() == since
    clock.advance(timedelta(hours=1))
    again = (await program.post(SECRET)).json()
    assert again["secret"] != made.json()["secret"]
    assert again["previous_expires_at"] == rfc3339(clock.now() + timedelta(hours=24))
    assert (await program.get(SECRET)).json()["previous_expires_at"] == again["previous_expires_at"]
    assert not any("whsec_" in line for line in log_lines)


def test_a_new_secret_is_not_in_its_repr(clock: ManualClock) -> None:
    assert "whsec_" not in repr(NewWebhookSecret(WebhookSecret(clock.now(), None), "whsec_x"))


async def test_a_platform_that_cannot_keep_secrets_says_so(program: Program, platform: Platform) -> None:
    platform.webhooks.script.refusals["RotateWebhookSecret"] = a_refusal(
        "WEBHOOKS_NOT_CONFIGURED", ErrorKind.FAILED_PRECONDITION
    )
    assert refused(await program.post(SECRET)) == (501, "webhooks_not_configured")


async def test_a_job_with_a_webhook_wants_a_secret_first(program: Program, platform: Platform) -> None:
    hook = ("webhook_url", b"https://books.example/hook")
    early = await program.submit(SLOT, PHOTO, hook)
    assert refused(early) == (400, "webhook_secret_not_found")
    assert "POST /api/v1/webhooks/secret" in early.json()["details"]
    assert platform.media.deleted == [upload.media_object_id for upload in platform.media.uploads]
    await program.post(SECRET)
    accepted = await program.submit(SLOT, PHOTO, hook)
    assert accepted.status == 202
    assert platform.async_jobs.orders[accepted.json()["job_id"]].webhook_url == "https://books.example/hook"


async def test_a_delivery_is_told_with_its_attempts(
    program: Program, api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    sent = platform.webhooks.add(client_id=BOOKS, state=FAILED, failure_reason="ATTEMPTS_EXHAUSTED")
    now = rfc3339(clock.now())
    told = {
        "id": sent.id,
        "job_id": sent.job_id,
        "type": "job.finished",
        "url": "https://books.example/hook",
        "state": "failed",
        "attempts_made": 1,
        "failure_reason": "attempts_exhausted",
        "last_status": 500,
        "created_at": now,
        "last_attempt_at": now,
        "next_attempt_at": None,
    }
    attempts = [{"number": 1, "started_at": now, "duration_ms": 120, "status": 500, "error": "http_status"}]
    assert (await program.get(OWN)).json() == {"deliveries": [told], "next_cursor": None}
    assert (await program.get(f"{OWN}/{sent.id}")).json() == told | {"attempts": attempts}
    of_books = told | {"client_id": BOOKS}
    assert (await api.get(ALL)).json() == {"deliveries": [of_books], "next_cursor": None}
    assert (await api.get(f"{ALL}/{sent.id}")).json() == of_books | {"attempts": attempts}


async def test_a_delivery_nobody_has_answered_has_no_status(program: Program, platform: Platform) -> None:
    waiting = platform.webhooks.add(client_id=BOOKS, state=PENDING)
    waiting.last_status = 0
    waiting.ClearField("last_attempt_at")
    platform.webhooks.attempts[waiting.id][0].status = 0
    told = (await program.get(f"{OWN}/{waiting.id}")).json()
    assert (told["last_status"], told["last_attempt_at"]) == (None, None)
    assert told["next_attempt_at"] is not None
    assert told["attempts"][0]["status"] is None


async def test_a_state_of_a_newer_service_counts_as_not_over(program: Program, platform: Platform) -> None:
    newer = platform.webhooks.add(
        client_id=BOOKS, state=webhook_service_pb2.WebhookDeliveryState.ValueType(99)
    )
    assert (await program.get(f"{OWN}/{newer.id}")).json()["state"] == "pending"


async def test_deliveries_are_found_by_job_state_and_client_in_pages(
    program: Program, api: AdminApi, platform: Platform
) -> None:
    add = partial(platform.webhooks.add, client_id=BOOKS)
    first, failed, prints = add(), add(state=FAILED), add(client_id=PRINTS)
    assert ids(await program.get(OWN)) == [failed.id, first.id]
    assert ids(await program.get(f"{OWN}?state=failed")) == [failed.id]
    assert ids(await program.get(f"{OWN}?job_id={first.job_id}")) == [first.id]
    assert ids(await program.get(f"{OWN}?job_id={prints.job_id}")) == []
    page = await program.get(f"{OWN}?limit=1")
    rest = await program.get(f"{OWN}?cursor={page.json()['next_cursor']}")
    assert (ids(page), ids(rest), rest.json()["next_cursor"]) == ([failed.id], [first.id], None)

    assert ids(await api.get(ALL)) == [prints.id, failed.id, first.id]
    assert ids(await api.get(f"{ALL}?client_id={PRINTS}")) == [prints.id]
    assert ids(await api.get(f"{ALL}?client_id={BOOKS}&state=delivered")) == [first.id]
    assert ids(await api.get(f"{ALL}?job_id={failed.job_id}&limit=1")) == [failed.id]


async def test_what_filters_do_not_know_is_refused(program: Program, api: AdminApi) -> None:
    for query in ("state=gone", "job_id=7", "limit=0", "limit=201", "cursor=nobodys"):
        for answer in (await program.get(f"{OWN}?{query}"), await api.get(f"{ALL}?{query}")):
            assert refused(answer) == (400, "invalid_request"), query
    assert refused(await api.get(f"{ALL}?client_id=7")) == (400, "invalid_request")


async def test_a_delivery_is_sent_again_once_it_is_over(program: Program, platform: Platform) -> None:
    sent = platform.webhooks.add(client_id=BOOKS, state=FAILED, failure_reason="GONE")
    again = await program.post(f"{OWN}/{sent.id}/resend")
    assert (again.status, again.json()["state"], again.json()["failure_reason"]) == (202, "pending", None)
    assert refused(await program.post(f"{OWN}/{sent.id}/resend")) == (409, "webhook_delivery_pending")
    (request, _) = platform.webhooks.script.of("ResendWebhookDelivery")
    (key,) = platform.api_keys.keys.values()
    assert isinstance(request, webhook_service_pb2.ResendWebhookDeliveryRequest)
    assert (request.client_id, request.actor) == (BOOKS, f"api-key:{key.id}")


async def test_an_admin_sends_a_clients_delivery_again_and_it_is_in_the_record(
    api: AdminApi, platform: Platform
) -> None:
    sent = platform.webhooks.add(client_id=BOOKS)
    again = await api.post(f"{ALL}/{sent.id}/resend")
    assert (again.status, again.json()["state"], again.json()["client_id"]) == (202, "pending", BOOKS)
    assert refused(await api.post(f"{ALL}/{sent.id}/resend")) == (409, "webhook_delivery_pending")
    entries = [entry for entry in platform.audit.entries.values() if entry.action == "webhook.resend"]
    assert [(entry.actor, entry.target, dict(entry.facts)) for entry in entries] == [
        ("serg", sent.id, {"client_id": BOOKS, "job_id": sent.job_id}),
        ("serg", sent.id, {}),
    ]
    assert [item[2] for item in platform.audit.told() if item[1] == "webhook.resend"] == [
        "done",
        "webhook_delivery_pending",
    ]


async def test_deliveries_of_others_and_of_nobody_are_not_found(
    program: Program, api: AdminApi, platform: Platform
) -> None:
    others = platform.webhooks.add(client_id=PRINTS)
    for delivery_id in (others.id, UNKNOWN, "what"):
        for answer in (
            await program.get(f"{OWN}/{delivery_id}"),
            await program.post(f"{OWN}/{delivery_id}/resend"),
        ):
            assert refused(answer) == (404, "webhook_delivery_not_found")
    for delivery_id in (UNKNOWN, "what"):
        for answer in (
            await api.get(f"{ALL}/{delivery_id}"),
            await api.post(f"{ALL}/{delivery_id}/resend"),
        ):
            assert refused(answer) == (404, "webhook_delivery_not_found")


async def test_a_key_for_jobs_opens_no_webhooks(gateway: Gateway, platform: Platform) -> None:
    scopes = (api_key_service_pb2.API_SCOPE_JOBS_READ, api_key_service_pb2.API_SCOPE_JOBS_WRITE)
    program = Program(gateway.port, platform.api_keys.add(scopes=scopes))
    for answer in (await program.get(SECRET), await program.post(SECRET), await program.get(OWN)):
        assert refused(answer) == (403, "insufficient_scope")
