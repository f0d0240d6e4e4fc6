"""A program is told of its jobs' ends: signed, again until it answers well, and never anywhere inside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from harness.program import Program, a_program
from harness.waiting import until
from photochanger_ingest.testing.receiver import Receiver, open_receiver
from photochanger_ingest.testing.webhooks import signed_by

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harness.platform import Platform

PENCIL = {"provider": "local", "operation": "pencil"}
PAUSES = 2
"""How often a failed message is repeated: `WEBHOOK_RETRY_PAUSES` of the harness."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as receiver:
        yield receiver


@pytest.fixture
async def program(platform: Platform) -> AsyncIterator[Program]:
    async with a_program(platform) as program:
        yield program


async def ended(program: Program, job_id: str) -> dict[str, object]:
    """The delivery of a job's end, once it is over, with its attempts."""
    deliveries: list[dict[str, object]] = []

    async def over() -> bool:
        page = await program.get(f"/api/v1/webhooks/deliveries?job_id={job_id}")
        deliveries[:] = page.json["deliveries"]
        return [delivery["state"] for delivery in deliveries] not in ([], ["pending"])

    await until(over, "the end of the delivery")
    details: dict[str, object] = (
        await program.get(f"/api/v1/webhooks/deliveries/{deliveries[0]['id']}")
    ).json
    return details


async def a_secret(program: Program) -> str:
    made = await program.post("/api/v1/webhooks/secret")
    assert made.status == 201, made.body
    secret: str = made.json["secret"]
    return secret


async def test_the_end_of_a_job_is_told_again_until_the_receiver_takes_it(
    program: Program, receiver: Receiver
) -> None:
    order = PENCIL | {"webhook_url": f"{receiver.url}?token=canary-token"}
    early = await program.submit(order)
    assert (early.status, early.json["failure_reason"]) == (400, "webhook_secret_not_found")
    first_secret = await a_secret(program)
    secret = await a_secret(program)
    receiver.statuses = [503, 204]
    job_id = (await program.submit(order)).json["job_id"]
    refused, taken = await receiver.next(), await receiver.next()
    for message in (refused, taken):
        assert all(signed_by(each, message.headers, message.body) for each in (first_secret, secret))
        assert message.path.endswith("?token=canary-token")
    assert refused.headers["webhook-id"] == taken.headers["webhook-id"]
    assert refused.body == taken.body
    told = json.loads(taken.body)
    job = await program.look(job_id)
    assert (told["type"], told["data"]["job_id"], told["data"]["status"]) == ("job.finished", job_id, "done")
    assert {name: job[name] for name in told["data"].keys() & job.keys()} == {
        name: told["data"][name] for name in told["data"].keys() & job.keys()
    }
    delivery = await ended(program, job_id)
    assert (delivery["id"], delivery["state"]) == (taken.headers["webhook-id"], "delivered")
    assert [attempt["status"] for attempt in _attempts(delivery)] == [204, 503]
    assert "canary-token" not in json.dumps(delivery)


async def test_a_receiver_that_never_takes_it_is_given_up_and_sent_to_again_by_hand(
    program: Program, receiver: Receiver
) -> None:
    await a_secret(program)
    receiver.statuses = [500]
    job_id = (await program.submit(PENCIL | {"webhook_url": receiver.url})).json["job_id"]
    delivery = await ended(program, job_id)
    assert (delivery["state"], delivery["failure_reason"]) == ("failed", "attempts_exhausted")
    assert len(receiver.requests) == len(_attempts(delivery)) == PAUSES + 1
    receiver.statuses = [204]
    assert (await program.post(f"/api/v1/webhooks/deliveries/{delivery['id']}/resend")).status == 202
    assert (await ended(program, job_id))["state"] == "delivered"
    assert len({message.headers["webhook-id"] for message in receiver.requests}) == 1


async def test_nothing_is_sent_inside(program: Program) -> None:
    await a_secret(program)
    # The harness opens loopback to receivers of tests; every other address of ours stays closed.
    job_id = (await program.submit(PENCIL | {"webhook_url": "http://169.254.169.254/latest"})).json["job_id"]
    delivery = await ended(program, job_id)
    assert (delivery["state"], delivery["failure_reason"]) == ("failed", "address_refused")


def _attempts(delivery: dict[str, object]) -> list[dict[str, object]]:
    attempts = delivery["attempts"]
    assert isinstance(attempts, list)
    return attempts
