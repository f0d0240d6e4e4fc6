"""Keys of API clients: shown once, kept as digests, void at once."""

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from photochanger.ingest.v1 import api_key_service_pb2 as pb
from photochanger_chassis.testing import ManualClock
from photochanger_ingest.testing.camera import Camera, refused

if TYPE_CHECKING:
    from .conftest import Platform

READ = pb.API_SCOPE_JOBS_READ
WRITE = pb.API_SCOPE_JOBS_WRITE
_TIMEOUT = 10.0


async def create(
    camera: Camera,
    *,
    name: str = "Studio",
    scopes: tuple[pb.ApiScope.ValueType, ...] = (READ, WRITE),
    client: str = "",
) -> pb.CreateApiKeyResponse:
    request = pb.CreateApiKeyRequest(name=name, scopes=scopes, created_by="serg", client_id=client)
    return await camera.api_keys.CreateApiKey(request, timeout=_TIMEOUT)


async def verify(camera: Camera, key: str) -> pb.ApiKey:
    return (await camera.api_keys.VerifyApiKey(pb.VerifyApiKeyRequest(key=key), timeout=_TIMEOUT)).api_key


async def revoke(camera: Camera, key_id: str, by: str = "igor") -> pb.ApiKey:
    request = pb.RevokeApiKeyRequest(api_key_id=key_id, revoked_by=by)
    return (await camera.api_keys.RevokeApiKey(request, timeout=_TIMEOUT)).api_key


async def test_a_key_is_256_random_bits_and_told_once(platform: "Platform", camera: Camera) -> None:
    made = await create(camera)
    assert made.key.startswith("pc_")
    assert len(base64.urlsafe_b64decode(made.key.removeprefix("pc_") + "=")) == 32
    found = await verify(camera, made.key)
    assert (found.id, found.client_id, found.name) == (made.api_key.id, made.api_key.id, "Studio")
    assert list(found.scopes) == [WRITE, READ]
    assert found.last_four == made.key[-4:]
    [row] = await platform.sql("SELECT api_keys::text, encode(key_sha256, 'escape') FROM api_keys")
    assert made.key not in str(row)
    assert made.key[3:] not in str(row)


async def test_a_revoked_key_is_void_at_once_on_every_replica(platform: "Platform", camera: Camera) -> None:
    other = (await platform.start()).camera
    made = await create(camera)
    assert (await verify(other, made.key)).id == made.api_key.id
    revoked = await revoke(camera, made.api_key.id)
    assert revoked.revoked_by == "igor"
    for replica in (camera, other):
        with refused("INVALID_API_KEY"):
            await verify(replica, made.key)
    # The first revocation counts.
    assert await revoke(other, made.api_key.id, by="serg") == revoked


@pytest.mark.parametrize(
    "wrong",
    ["", "pc_", "pc_" + "A" * 43, "pc_" + "A" * 42, "A" * 46, "pc_" + "ä" * 43, "pc_" + "A" * 100_000],
)
async def test_what_is_no_key_opens_nothing(camera: Camera, wrong: str) -> None:
    await create(camera)
    with refused("INVALID_API_KEY"):
        await verify(camera, wrong)


async def test_one_more_key_of_a_client_outlives_the_first(camera: Camera) -> None:
    first = await create(camera)
    second = await create(camera, name="New", client=first.api_key.client_id)
    await revoke(camera, first.api_key.id)
    assert (await verify(camera, second.key)).client_id == first.api_key.client_id
    with refused("API_CLIENT_NOT_FOUND"):
        await create(camera, client="0" * 32)


async def test_a_use_is_noted_at_most_once_a_minute(
    platform: "Platform", camera: Camera, clock: ManualClock
) -> None:
    made = await create(camera)
    assert not (await verify(camera, made.key)).HasField("last_used_at")
    first = (await verify(camera, made.key)).last_used_at
    clock.advance(timedelta(seconds=59))
    await verify(camera, made.key)
    assert (await verify(camera, made.key)).last_used_at == first
    clock.advance(timedelta(seconds=1))
    await verify(camera, made.key)
    assert (await verify(camera, made.key)).last_used_at.ToSeconds() - first.ToSeconds() == 60


async def test_a_use_is_not_waited_for(platform: "Platform", camera: Camera) -> None:
    made = await create(camera)
    async with platform.pool.connection() as conn, conn.transaction():
        await conn.execute("SELECT FROM api_keys FOR UPDATE")
        assert (await verify(camera, made.key)).id == made.api_key.id


async def test_keys_are_listed_newest_first_in_pages(camera: Camera) -> None:
    names = [f"key {number}" for number in range(5)]
    for name in names:
        await create(camera, name=name)
    listed: list[str] = []
    request = pb.ListApiKeysRequest(page_size=2)
    while True:
        page = await camera.api_keys.ListApiKeys(request, timeout=_TIMEOUT)
        listed += [key.name for key in page.api_keys]
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert listed == names[::-1]


async def test_wrong_keys_are_not_made(camera: Camera) -> None:
    with refused("INVALID_ARGUMENT") as refusal:
        await create(camera, name="x" * 81, scopes=())
    assert {violation.field for violation in refusal.error.field_violations} == {"name", "scopes"}
    with refused("INVALID_ARGUMENT"):
        await create(camera, name="a\0b")
    for unknown in ("0" * 32, "", "\0"):
        with refused("API_KEY_NOT_FOUND"):
            await revoke(camera, unknown)
    with refused("API_CLIENT_NOT_FOUND"):
        await create(camera, client="\0")
    with refused("INVALID_ARGUMENT"):
        await revoke(camera, "0" * 32, by="")
