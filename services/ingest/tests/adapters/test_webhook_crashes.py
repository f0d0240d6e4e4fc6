"""Messages through crashes, outages and restarts: at least once, and known again by their ids."""

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from photochanger.ingest.v1 import webhook_service_pb2 as pb
from photochanger_chassis.secret_box import SecretBox
from photochanger_ingest.adapters.postgres.webhook_secrets import PostgresWebhookSecrets
from photochanger_ingest.adapters.postgres.webhooks import PostgresDueDeliveries
from photochanger_ingest.domain.errors import WebhooksNotConfigured
from photochanger_ingest.domain.ids import ClientId, DeliveryId
from photochanger_ingest.domain.webhook import SendError, Sent
from photochanger_ingest.testing.receiver import Receiver
from photochanger_ingest.testing.webhooks import signed_by

from .conftest import SEALING_KEY, a_studio

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochanger_chassis.testing import ManualClock
    from photochanger_devstack.testing.servers import OwnNats

    from .conftest import Platform, Replica, Studio

DELIVERED = pb.WEBHOOK_DELIVERY_STATE_DELIVERED
_KILLED = 137
_PAST_A_LEASE = timedelta(minutes=10)


class Process:
    """Ingest as a process of its own, on the same servers."""

    def __init__(self, platform: "Platform", nats_url: str, crash_at: str) -> None:
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DATABASE_URL": platform.database_url,
            "NATS_URL": nats_url,
            "PROVIDERS_TARGET": platform.outside.target,
            "MEDIA_TARGET": platform.outside.target,
            "GRPC_LISTEN": "127.0.0.1:0",
            "METRICS_LISTEN": "127.0.0.1:0",
            "SECRETS_ENCRYPTION_KEY": SEALING_KEY,
            "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "CRASH_AT": crash_at,
        }

    async def dies(self) -> int:
        """Runs it until it dies, and returns with which status."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "photochanger_ingest", "serve", env=self._environment
        )
        try:
            async with asyncio.timeout(60):
                return await process.wait()
        finally:
            with suppress(ProcessLookupError):
                process.kill()


@pytest.fixture
async def cut_off(
    platform: "Platform", replica: "Replica", receiver: Receiver, clock: "ManualClock"
) -> "Studio":
    """A client of an instance without NATS: its messages are made, and stay."""
    return await a_studio(platform, replica, receiver, clock)


@pytest.mark.parametrize(
    ("crash_at", "requests"),
    [("tasks.after_claim", 1), ("webhook.after_send", 2), ("tasks.before_end", 1), ("tasks.after_end", 1)],
)
async def test_a_message_outlives_the_process_that_sends_it(
    own_nats: "Callable[[], OwnNats]", cut_off: "Studio", crash_at: str, requests: int
) -> None:
    secret = await cut_off.webhooks.rotate()
    delivery_id = await cut_off.tells()
    nats_url = (await asyncio.to_thread(own_nats)).url
    assert await Process(cut_off.platform, nats_url, crash_at).dies() == _KILLED
    survivor = await replace(cut_off.platform, nats_url=nats_url).start()
    cut_off.clock.advance(_PAST_A_LEASE)
    await survivor.ingest.webhooks.keeper.sweep_leases()
    log = await cut_off.webhooks.ended(delivery_id)
    assert log.delivery.state == DELIVERED
    # What was sent and not noted is sent again: the receiver knows it by its id.
    received = cut_off.receiver.requests
    assert len(received) >= requests
    assert {each.headers["webhook-id"] for each in received} == {delivery_id}
    assert len({each.body for each in received}) == 1
    assert all(signed_by(secret, each.headers, each.body) for each in received)


async def test_what_was_made_without_nats_is_sent_once_it_is_there(
    own_nats: "Callable[[], OwnNats]", cut_off: "Studio"
) -> None:
    await cut_off.webhooks.rotate()
    made = [await cut_off.tells() for _ in range(3)]
    assert cut_off.receiver.requests == []
    await replace(cut_off.platform, nats_url=(await asyncio.to_thread(own_nats)).url).start()
    for delivery_id in made:
        assert (await cut_off.webhooks.ended(delivery_id)).delivery.state == DELIVERED


async def test_replicas_share_the_work_and_send_each_message_once(studio: "Studio") -> None:
    await studio.platform.start()
    await studio.webhooks.rotate()
    made = [await studio.tells() for _ in range(10)]
    for delivery_id in made:
        assert (await studio.webhooks.ended(delivery_id)).delivery.attempts == 1
    sent = [each.headers["webhook-id"] for each in studio.receiver.requests]
    assert sorted(sent) == sorted(made)


async def test_a_replica_that_stops_ends_what_it_is_sending(studio: "Studio") -> None:
    await studio.webhooks.rotate()
    async with studio.receiver.holding:
        delivery_id = await studio.tells()
        await studio.receiver.next()
        stopping = asyncio.create_task(studio.replica.stop())
        while not await studio.platform.sql("SELECT FROM task_workers WHERE guard = 'draining'"):
            continue
    await stopping
    assert await studio.platform.sql("SELECT id, state, attempts FROM webhook_deliveries") == [
        (delivery_id, "delivered", 1)
    ]


async def test_a_job_from_before_there_were_secrets_ends_and_tells_nobody(studio: "Studio") -> None:
    await studio.webhooks.rotate()
    job_id = await studio.opens()
    await studio.platform.sql("DELETE FROM webhook_secrets")
    await studio.ends(job_id)
    assert list((await studio.webhooks.list()).deliveries) == []


async def test_sealed_anew_secrets_need_the_old_key_no_more(cut_off: "Studio") -> None:
    secret = await cut_off.webhooks.rotate()
    pool, client_id = cut_off.platform.pool, ClientId(cut_off.client.client_id)
    new = SecretBox.from_text("bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4=")
    both = SecretBox.from_text(f"bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4=,{SEALING_KEY}")
    now = cut_off.clock.now()
    with pytest.raises(WebhooksNotConfigured):
        await PostgresWebhookSecrets(pool, new).alive(client_id, now)
    assert await PostgresWebhookSecrets(pool, both).reseal() == 1
    assert await PostgresWebhookSecrets(pool, both).reseal() == 0
    assert await PostgresWebhookSecrets(pool, new).alive(client_id, now) == [secret]


async def test_swapped_rows_sign_nothing(cut_off: "Studio") -> None:
    await cut_off.webhooks.rotate()
    await cut_off.webhooks.rotate()
    await cut_off.platform.sql(
        """
        UPDATE webhook_secrets AS mine SET nonce = other.nonce, ciphertext = other.ciphertext
        FROM webhook_secrets AS other WHERE mine.version <> other.version
        """
    )
    store = PostgresWebhookSecrets(cut_off.platform.pool, SecretBox.from_text(SEALING_KEY))
    with pytest.raises(WebhooksNotConfigured):
        await store.alive(ClientId(cut_off.client.client_id), cut_off.clock.now())


async def test_the_log_keeps_the_last_50_attempts(cut_off: "Studio") -> None:
    await cut_off.webhooks.rotate()
    delivery_id = await cut_off.tells()
    deliveries = PostgresDueDeliveries(cut_off.platform.pool)
    due = await deliveries.due(DeliveryId(delivery_id))
    assert due is not None
    sent = Sent(cut_off.clock.now(), timedelta(seconds=1), error=SendError.TIMEOUT)
    for _ in range(53):
        await deliveries.note(due.delivery, sent, next_attempt_at=cut_off.clock.now())
    log = await cut_off.webhooks.get(delivery_id)
    assert [each.number for each in log.attempts] == list(range(53, 3, -1))
    assert await cut_off.platform.sql("SELECT count(*) FROM webhook_attempts") == [(50,)]
