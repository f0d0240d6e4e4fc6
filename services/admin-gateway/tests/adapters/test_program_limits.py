"""How often programs may ask, over all replicas, and how they are told."""

from datetime import timedelta

from photochanger_chassis.testing import ManualClock
from photochanger_gateway.testing.platform import Platform, a_gateway, settings_for
from photochanger_gateway.testing.program import Program
from photochanger_gateway.testing.wire import ask

REQUESTS = '"requests";q=3000;w=60'


async def test_a_client_submits_so_often_in_a_minute_and_is_told_how_it_stands(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    settings = settings_for(
        platform, nats_url, api_submissions_per_minute=3, api_waiting_submissions_per_minute=1
    )
    key = platform.api_keys.add(client_id="books")
    second_key, others = platform.api_keys.add(client_id="books"), platform.api_keys.add(client_id="prints")
    async with a_gateway(settings, clock) as one, a_gateway(settings, clock) as two:
        clock.advance(timedelta(seconds=60 - clock.now().timestamp() % 60 + 20))
        first = await Program(one.port, key).submit()
        assert first.headers["ratelimit-policy"] == f'{REQUESTS}, "async";q=3;w=60'
        assert first.headers["ratelimit"] == '"requests";r=2999;t=40, "async";r=2;t=40'
        second = await Program(two.port, second_key).submit()
        assert second.headers["ratelimit"] == '"requests";r=2998;t=40, "async";r=1;t=40'
        item = {"media_object_id": "a" * 32, "slot_id": "slot-001"}
        batch = await Program(two.port, key).post("/api/v1/jobs/batch", {"jobs": [item] * 5})
        assert (batch.status, batch.headers["ratelimit"]) == (200, '"requests";r=2997;t=40, "async";r=0;t=40')
        uploads = len(platform.media.uploads)
        for program in (Program(one.port, key), Program(two.port, second_key)):
            refused = await program.submit()
            assert (refused.status, refused.json()["failure_reason"]) == (429, "rate_limited")
            assert refused.headers["retry-after"] == "40"
            assert refused.headers["ratelimit"].endswith('"async";r=0;t=40')
        assert len(platform.media.uploads) == uploads

        waiting = await Program(one.port, key).submit(Prefer="wait=1")
        assert (waiting.status, waiting.headers["ratelimit-policy"]) == (
            202,
            f'{REQUESTS}, "sync";q=1;w=60',
        )
        assert (await Program(two.port, key).submit(Prefer="wait=1")).status == 429
        assert (await Program(one.port, others).submit()).status == 202
        assert (await Program(one.port, key).get("/api/v1/jobs")).status == 200

        clock.advance(timedelta(seconds=40))
        assert (await Program(one.port, key).submit()).status == 202


async def test_all_requests_of_a_client_have_a_limit(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    program_key = platform.api_keys.add()
    async with a_gateway(settings_for(platform, nats_url, api_rate_per_minute=2), clock) as gateway:
        program = Program(gateway.port, program_key)
        answers = [await program.get("/api/v1/jobs") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]


async def test_an_address_may_try_so_many_wrong_keys(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    settings = settings_for(platform, nats_url, wrong_password_rate_per_minute=2)
    async with a_gateway(settings, clock) as gateway:
        headers = {"X-API-Key": "pc_" + "x" * 43}
        statuses = [(await ask(gateway.port, "/api/v1/jobs", headers=headers)).status for _ in range(4)]
    assert statuses == [401, 401, 429, 429]
    assert len(platform.api_keys.script.of("VerifyApiKey")) == 2
