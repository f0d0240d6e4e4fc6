"""Sends thirty large photos at once through the Gemini driver and prints how much memory that took, in bytes.

A program of its own, so that nothing but the driver is measured: thirty_photos.py BASE_URL DIRECTORY
"""

import asyncio
import os
import sys
from pathlib import Path

from photochanger_providers.domain.picture import Picture
from photochanger_providers.drivers import gemini
from photochanger_providers.testing.driver_bench import DriverBench

_PHOTO_BYTES = 15_000_000
_AT_ONCE = 30


def _peak_bytes() -> int:
    # Not `getrusage`: its peak survives `exec` and would be that of the test run.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell a process's peak memory")


async def _measure(base_url: str, directory: Path) -> int:
    sizes = {"small.jpg": 1000, "large.jpg": _PHOTO_BYTES}
    for name, size in sizes.items():
        (directory / name).write_bytes(os.urandom(size))
    small, large = (Picture(directory / name, "image/jpeg", size, 1, 1) for name, size in sizes.items())
    settings = {"prompt": "snow"}
    async with DriverBench(
        gemini.DRIVER, base_url=base_url, api_key="mock-gemini-key", directory=directory, memory_bytes=2**26
    ) as bench:
        await bench.run("image_edit", small, settings)  # everything is loaded now
        before = _peak_bytes()
        await asyncio.gather(*(bench.run("image_edit", large, settings) for _ in range(_AT_ONCE)))
        return _peak_bytes() - before


if __name__ == "__main__":
    sys.stderr.write(str(asyncio.run(_measure(sys.argv[1], Path(sys.argv[2])))))
