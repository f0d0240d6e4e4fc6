"""What a driver is built with, and how it is registered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from photochanger_chassis.clock import Clock
from photochanger_chassis.concurrency import ByteBudget

from photochanger_providers.application.driver import Driver
from photochanger_providers.domain.catalogue import ProviderInfo
from photochanger_providers.drivers.http import ProviderHttp


@dataclass(frozen=True, slots=True)
class DriverTools:
    """What a driver is built with.

    `http` speaks to the provider's base URL. `memory` is shared by all drivers: hold it, for as many bytes as
    the work takes, while anything big (an answer with a picture in it) is in memory. `pause` waits; drivers
    never call `asyncio.sleep`, so that tests need not wait. `models_dir` holds the files of local models,
    `cores` the number of processes worth running.
    """

    http: ProviderHttp
    memory: ByteBudget
    clock: Clock
    random: Random
    pause: Callable[[timedelta], Awaitable[None]]
    models_dir: Path
    cores: int


@dataclass(frozen=True, slots=True)
class DriverEntry:
    """A driver's registration: what it can do, and how to build it."""

    info: ProviderInfo
    build: Callable[[DriverTools], Driver]
