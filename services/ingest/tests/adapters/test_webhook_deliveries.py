"""Messages until they are delivered or given up: repeats, receivers that are gone, secrets that change, resends."""

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

from photochanger.ingest.v1 import api_key_service_pb2
from photochanger.ingest.v1 import webhook_service_pb2 as pb
from photochanger.tasks.v1 import queue_service_pb2, queue_service_pb2_grpc
from photochanger_ingest.testing.camera import refused
from photochanger_ingest.testing.client import OTHER_CLIENT
from photochanger_ingest.testing.receiver import Receiver, open_receiver
from photochanger_ingest.testing.webhooks import WebhookClient, signed_by

from .conftest import a_studio

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochanger_chassis.testing import ManualClock
    from photochanger_devstack.testing.servers import OwnNats

    from .conftest import Platform, Studio

PENDING = pb.WEBHOOK_DELIVERY_STATE_PENDING
DELIVERED = pb.WEBHOOK_DELIVERY_STATE_DELIVERED
FAILED = pb.WEBHOOK_DELIVERY_STATE_FAILED
_A_DAY = timedelta(days=1)


async def failure_of(studio: "Studio", delivery_id: str) -> tuple[str, int]:
    """Why a delivery was given up, and after how many attempts."""
    delivery = (await studio.webhooks.ended(delivery_id)).delivery
    assert delivery.state == FAILED
    return delivery.failure_reason, delivery.attempts


async def test_a_message_is_repeated_as_it_was_until_it_is_taken(studio: "Studio") -> None:
    secret = await studio.webhooks.rotate()
    studio.receiver.statuses = [500, 302, 204]
    delivery_id = await studio.tells()
    first = await studio.receiver.next()
    found = (await studio.webhooks.tried(delivery_id, 1)).delivery
    assert (found.state, found.last_status, found.failure_reason) == (PENDING, 500, "")
    pause = found.next_attempt_at.ToDatetime() - found.last_attempt_at.ToDatetime()
    assert timedelta(seconds=4.5) <= pause <= timedelta(seconds=5.5)
    await studio.later(timedelta(seconds=6))
    second = await studio.receiver.next()
    await studio.webhooks.tried(delivery_id, 2)
    await studio.later(timedelta(minutes=6))
    third = await studio.receiver.next()
    log = await studio.webhooks.ended(delivery_id)
    assert (log.delivery.state, log.delivery.attempts) == (DELIVERED, 3)
    assert not log.delivery.HasField("next_attempt_at")
    assert [(each.number, each.status, each.error) for each in log.attempts] == [
        (3, 204, ""),
        (2, 302, "HTTP_STATUS"),
        (1, 500, "HTTP_STATUS"),
    ]
    sent = [first, second, third]
    assert {each.body for each in sent} == {first.body}
    assert {each.headers["webhook-id"] for each in sent} == {delivery_id}
    # Each attempt is signed for its own time, so that a receiver may refuse old ones.
    assert len({each.headers["webhook-timestamp"] for each in sent}) == 3
    assert all(signed_by(secret, each.headers, each.body) for each in sent)


async def test_a_receiver_that_asks_for_time_gets_it(studio: "Studio") -> None:
    await studio.webhooks.rotate()
    studio.receiver.statuses, studio.receiver.headers = [429, 204], {"Retry-After": "3600"}
    delivery_id = await studio.tells()
    await studio.webhooks.tried(delivery_id, 1)
    await studio.later(timedelta(minutes=59))
    await studio.later(timedelta(minutes=2))
    assert (await studio.webhooks.ended(delivery_id)).delivery.attempts == 2
    assert len(studio.receiver.requests) == 2


async def test_after_its_last_attempt_a_message_is_given_up_and_leaves_no_dead_task(
    own_nats: "Callable[[], OwnNats]", platform: "Platform", receiver: Receiver, clock: "ManualClock"
) -> None:
    platform.nats_url = own_nats().url
    replica = await platform.start(webhook_retry_pauses="1,2")
    studio = await a_studio(platform, replica, receiver, clock)
    await studio.webhooks.rotate()
    receiver.statuses = [503]
    delivery_id = await studio.tells()
    for attempt in range(1, 3):
        await studio.webhooks.tried(delivery_id, attempt)
        await studio.later(timedelta(seconds=5))
    assert await failure_of(studio, delivery_id) == ("ATTEMPTS_EXHAUSTED", 3)
    assert await platform.sql("SELECT state, reason, failures FROM tasks") == [
        ("failed", "attempts_exhausted", 2)
    ]


async def test_a_receiver_that_is_gone_is_left_alone_until_it_answers_to_a_resend(studio: "Studio") -> None:
    await studio.webhooks.rotate()
    studio.receiver.statuses = [410]
    gone = await studio.tells()
    assert await failure_of(studio, gone) == ("GONE", 1)
    unsent = await studio.tells()
    assert await failure_of(studio, unsent) == ("SWITCHED_OFF", 0)
    assert len(studio.receiver.requests) == 1
    async with open_receiver() as elsewhere:
        assert (await studio.webhooks.ended(await studio.tells(elsewhere.url))).delivery.state == DELIVERED
    # Asked by hand it is sent all the same; gone still.
    await studio.webhooks.resend(unsent)
    assert await failure_of(studio, unsent) == ("GONE", 1)
    studio.receiver.statuses = [204]
    assert await failure_of(studio, await studio.tells()) == ("SWITCHED_OFF", 0)
    await studio.webhooks.resend(gone)
    assert (await studio.webhooks.ended(gone)).delivery.state == DELIVERED
    assert (await studio.webhooks.ended(await studio.tells())).delivery.state == DELIVERED


async def test_an_address_inside_is_refused_and_said_so(studio: "Studio") -> None:
    await studio.webhooks.rotate()
    delivery_id = await studio.tells("http://169.254.169.254/latest/meta-data/?token=secret")
    assert await failure_of(studio, delivery_id) == ("ADDRESS_REFUSED", 1)
    [attempt] = (await studio.webhooks.get(delivery_id)).attempts
    assert (attempt.status, attempt.error) == (0, "ADDRESS_REFUSED")


async def test_a_client_whose_keys_are_void_is_told_nothing_more(studio: "Studio") -> None:
    await studio.webhooks.rotate()
    studio.receiver.statuses = [500]
    delivery_id = await studio.tells()
    await studio.webhooks.tried(delivery_id, 1)
    [[key_id]] = await studio.platform.sql("SELECT id FROM api_keys")
    await studio.replica.camera.api_keys.RevokeApiKey(
        api_key_service_pb2.RevokeApiKeyRequest(api_key_id=str(key_id), revoked_by="serg"), timeout=10
    )
    await studio.later(timedelta(seconds=6))
    assert await failure_of(studio, delivery_id) == ("CLIENT_REVOKED", 1)


async def test_for_a_day_after_a_rotation_two_secrets_sign(studio: "Studio") -> None:
    first = await studio.webhooks.rotated()
    assert not first.HasField("previous_expires_at")
    second = await studio.webhooks.rotated()
    until = second.previous_expires_at.ToDatetime()
    assert until - second.created_at.ToDatetime() == _A_DAY
    assert (await studio.webhooks.secret()).previous_expires_at == second.previous_expires_at
    await studio.tells()
    told = await studio.receiver.next()
    assert signed_by(first.secret, told.headers, told.body)
    assert signed_by(second.secret, told.headers, told.body)
    await studio.later(_A_DAY)
    assert not (await studio.webhooks.secret()).HasField("previous_expires_at")
    await studio.tells()
    told = await studio.receiver.next()
    assert signed_by(second.secret, told.headers, told.body)
    assert not signed_by(first.secret, told.headers, told.body)


async def test_of_three_secrets_the_oldest_ends_at_once(studio: "Studio") -> None:
    first, second, third = [await studio.webhooks.rotate() for _ in range(3)]
    await studio.tells()
    told = await studio.receiver.next()
    assert len(told.headers["webhook-signature"].split(" ")) == 2
    assert [signed_by(secret, told.headers, told.body) for secret in (first, second, third)] == [
        False,
        True,
        True,
    ]


async def test_a_secret_is_32_random_bytes_told_once_and_sealed_where_it_is_kept(studio: "Studio") -> None:
    secret = await studio.webhooks.rotate()
    prefix, _, text = secret.partition("_")
    key = base64.b64decode(text, validate=True)
    assert (prefix, len(key)) == ("whsec", 32)
    [row] = await studio.platform.sql("SELECT webhook_secrets::text FROM webhook_secrets")
    assert text not in str(row)
    assert key.hex() not in str(row)
    other = WebhookClient(studio.replica.camera.webhooks, OTHER_CLIENT)
    with refused("WEBHOOK_SECRET_NOT_FOUND"):
        await other.secret()
    with refused("API_CLIENT_NOT_FOUND"):
        await other.rotate()


async def test_without_a_key_to_seal_with_there_are_no_webhooks(
    platform: "Platform", receiver: Receiver, clock: "ManualClock"
) -> None:
    replica = await platform.start(secrets_encryption_key="")
    studio = await a_studio(platform, replica, receiver, clock)
    with refused("WEBHOOKS_NOT_CONFIGURED"):
        await studio.webhooks.rotate()
    with refused("WEBHOOK_SECRET_NOT_FOUND"):
        await studio.opens()


async def test_what_is_over_is_sent_again_with_its_id_and_all_its_attempts(studio: "Studio") -> None:
    await studio.webhooks.rotate()
    delivery_id = await studio.tells()
    first = await studio.receiver.next()
    await studio.webhooks.ended(delivery_id)
    studio.receiver.statuses = [500, 204]
    again = await studio.webhooks.resend(delivery_id)
    assert (again.state, again.attempts) == (PENDING, 1)
    assert (await studio.receiver.next()).body == first.body
    with refused("WEBHOOK_DELIVERY_PENDING") as refusal:
        await studio.webhooks.resend(delivery_id)
    assert refusal.error.metadata == {"deliveryId": delivery_id}
    await studio.webhooks.tried(delivery_id, 2)
    await studio.later(timedelta(seconds=6))
    third = await studio.receiver.next()
    assert (third.headers["webhook-id"], third.body) == (delivery_id, first.body)
    log = await studio.webhooks.ended(delivery_id)
    assert [(each.number, each.status) for each in log.attempts] == [(3, 204), (2, 500), (1, 204)]


async def test_a_client_sees_and_resends_its_own_deliveries_only(studio: "Studio") -> None:
    await studio.webhooks.rotate()
    delivery_id = await studio.tells()
    await studio.webhooks.ended(delivery_id)
    other = WebhookClient(studio.replica.camera.webhooks, OTHER_CLIENT)
    assert list((await other.list()).deliveries) == []
    for unknown in (delivery_id, "msg_" + "0" * 32, "nonsense"):
        with refused("WEBHOOK_DELIVERY_NOT_FOUND"):
            await other.get(unknown)
        with refused("WEBHOOK_DELIVERY_NOT_FOUND"):
            await other.resend(unknown)
    anybody = WebhookClient(studio.replica.camera.webhooks, "")
    assert (await anybody.get(delivery_id)).delivery.client_id == studio.client.client_id
    assert (await anybody.resend(delivery_id, actor="serg")).state == PENDING
    with refused("INVALID_ARGUMENT"):
        await anybody.resend(delivery_id, actor="")


async def test_deliveries_are_listed_newest_first_page_by_page(studio: "Studio") -> None:
    await studio.webhooks.rotate()
    delivered = [await studio.tells() for _ in range(3)]
    for each in delivered:
        await studio.webhooks.ended(each)
    failed = await studio.tells("http://10.0.0.1/")
    await studio.webhooks.ended(failed)
    first = await studio.webhooks.list(page_size=3)
    assert [each.id for each in first.deliveries] == [failed, delivered[2], delivered[1]]
    rest = await studio.webhooks.list(page_size=3, page_token=first.next_page_token)
    assert ([each.id for each in rest.deliveries], rest.next_page_token) == ([delivered[0]], "")
    assert [each.id for each in (await studio.webhooks.list(state=FAILED)).deliveries] == [failed]
    assert [each.id for each in (await studio.webhooks.list(state=PENDING)).deliveries] == []
    job_id = first.deliveries[1].job_id
    assert (await studio.webhooks.of(job_id)).id == delivered[2]
    for wrong in ({"page_size": 201}, {"page_token": "x"}, {"job_id": "x"}, {"state": 9}, {"client_id": "x"}):
        with refused("INVALID_ARGUMENT"):
            await studio.webhooks.list(**wrong)


async def test_after_30_days_only_what_is_pending_is_left(studio: "Studio") -> None:
    await studio.webhooks.rotate()
    await studio.webhooks.rotate()
    ended = await studio.tells()
    await studio.webhooks.ended(ended)
    studio.receiver.statuses = [500]
    pending = await studio.tells()
    await studio.webhooks.tried(pending, 1)
    await studio.later(timedelta(days=1))
    await studio.platform.sql("UPDATE webhook_deliveries SET ended_at = ended_at - interval '29 days'")
    await studio.replica.ingest.sweeper.prune()
    assert await studio.platform.sql("SELECT count(*) FROM webhook_secrets") == [(1,)]
    await studio.webhooks.get(ended)
    studio.clock.advance(timedelta(hours=1))
    await studio.replica.ingest.sweeper.prune()
    with refused("WEBHOOK_DELIVERY_NOT_FOUND"):
        await studio.webhooks.get(ended)
    assert (await studio.webhooks.get(pending)).delivery.state == PENDING
    assert await studio.platform.sql("SELECT DISTINCT delivery_id FROM webhook_attempts") == [(pending,)]


async def test_the_queue_is_to_be_seen(studio: "Studio") -> None:
    await studio.webhooks.rotate()
    studio.receiver.statuses = [500]
    delivery_id = await studio.tells()
    await studio.webhooks.tried(delivery_id, 1)
    while await studio.platform.sql("SELECT FROM tasks WHERE state = 'running'"):
        continue
    queues = queue_service_pb2_grpc.QueueServiceStub(studio.replica.channel)
    answer = await queues.ListQueues(queue_service_pb2.ListQueuesRequest(), timeout=10)
    [queue] = answer.queues
    assert (queue.name, queue.limit, queue.scheduled, queue.retrying, queue.dead) == ("light", 20, 1, 1, 0)
