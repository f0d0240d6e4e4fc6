import asyncio
import os
import sys
from pathlib import Path

import pytest
from photochanger_mockproviders import GeminiMock, PictureFormat, fixed

_SENT_BYTES = 30 * 15_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
async def test_thirty_photos_of_15_mb_at_once_are_never_in_memory(tmp_path: Path) -> None:
    async with GeminiMock(fast=True, result=fixed(1_500_000, PictureFormat.JPEG)) as mock:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("thirty_photos.py")),
            mock.base_url,
            str(tmp_path),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert len(mock.calls) == 31
    # Measured: 50 to 100 MB, most of it of the check of results. The photos alone would be 450, in base64
    # 600.
    assert int(said) < _SENT_BYTES / 3
