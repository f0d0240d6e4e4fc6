"""`python -m photochanger_media cleanup`, as an operator or a cron job runs it."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from photochanger_media.adapters.s3.signing import Signer
from photochanger_media.settings import CleanupSettings, Settings
from photochanger_media.testing import Media

pytestmark = pytest.mark.storage

PORTRAIT = (Path(__file__).parents[4] / "tests" / "photos" / "portrait-1024.webp").read_bytes()


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables the command needs, and no others."""
    names = ("database_url", "s3_access_key", "s3_secret_key")
    secret = {name.upper(): getattr(settings, name).get_secret_value() for name in names}
    plain = ("s3_endpoint_url", "s3_region", "s3_bucket")
    assert {*names, *plain} <= set(CleanupSettings.model_fields)
    return {"PATH": os.environ["PATH"], **secret} | {name.upper(): getattr(settings, name) for name in plain}


async def cleanup(settings: Settings) -> dict[str, int]:
    """Runs the command; returns the numbers it tells."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "photochanger_media", "cleanup"),
        env=environment_of(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, complaints = await command.communicate()
    assert command.returncode == 0, complaints.decode()
    line = told.decode().splitlines()[-1]
    return {words.strip(): int(number) for words, number in re.findall(r"([a-z ]+) (\d+)", line)}


async def test_it_may_be_run_twice_and_twice_at_once(media: Media) -> None:
    kept = (await media.upload(PORTRAIT)).media_object.id
    over = (await media.upload(PORTRAIT, job_id="2" * 32)).media_object.id
    # The command goes by the machine's clock.
    await media.sql("UPDATE media_objects SET expires_at = now() - interval '1 s' WHERE id = %s", over)
    url = Signer(media.settings.address).url("PUT", f"inputs/slot-001/{'3' * 32}/{'f' * 32}.jpg")
    async with aiohttp.ClientSession() as session, session.put(url, data=b"no row") as response:
        assert response.status == 200
    media.clock.advance(timedelta(seconds=1))
    first, second = await asyncio.gather(cleanup(media.settings), cleanup(media.settings))
    for what in ("expired", "objects without a row"):
        assert first[what] + second[what] == 1
    assert [key.rpartition("/")[2] for key in await media.keys()] == [f"{kept}.webp"]
    again = await cleanup(media.settings)
    assert set(again.values()) == {0}
    await media.download(kept)
