"""Clients are told of the ends of their jobs, whichever way they end."""

import json
from typing import TYPE_CHECKING

import pytest
from photochanger.ingest.v1 import webhook_service_pb2 as pb
from photochanger_ingest.testing.webhooks import signed_by

if TYPE_CHECKING:
    from .conftest import Studio

PENDING = pb.WEBHOOK_DELIVERY_STATE_PENDING
DELIVERED = pb.WEBHOOK_DELIVERY_STATE_DELIVERED
FAILED = pb.WEBHOOK_DELIVERY_STATE_FAILED


@pytest.mark.parametrize("how", ["done", "failed", "cancelled", "timeout"])
async def test_a_client_is_told_how_its_job_has_ended(studio: "Studio", how: str) -> None:
    secret = await studio.webhooks.rotate()
    job_id = await studio.opens(studio.receiver.url + "?token=of-the-client")
    await studio.ends(job_id, how)
    told = await studio.receiver.next()
    assert (told.method, told.path) == ("POST", "/hook?token=of-the-client")
    assert told.headers["Content-Type"] == "application/json"
    assert signed_by(secret, told.headers, told.body)
    assert told.headers["webhook-timestamp"] == str(int(studio.clock.now().timestamp()))
    message = json.loads(told.body)
    assert message["type"] == "job.finished"
    assert (message["data"]["job_id"], message["data"]["status"]) == (job_id, how)
    assert message["data"]["has_result"] is (how == "done")
    assert (message["data"]["failure"] is None) is (how == "done")
    assert message["timestamp"] == message["data"]["finished_at"]
    delivery = await studio.webhooks.of(job_id)
    assert delivery.id == told.headers["webhook-id"]
    ended = await studio.webhooks.ended(delivery.id)
    assert (ended.delivery.state, ended.delivery.attempts, ended.delivery.last_status) == (DELIVERED, 1, 204)
    assert ended.delivery.url == studio.receiver.url
    assert [(attempt.number, attempt.status, attempt.error) for attempt in ended.attempts] == [(1, 204, "")]
    assert len(studio.receiver.requests) == 1
