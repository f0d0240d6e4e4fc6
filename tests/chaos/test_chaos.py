"""A short storm; `make chaos` has the long one."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from chaos.disasters import Disaster
from chaos.storm import Weather, storm

if TYPE_CHECKING:
    from photochanger_devstack.testing.run import Run


# Bounded by its own time, but on a slow machine it goes on until 500 tasks were
# submitted and each disaster has happened.
@pytest.mark.timeout(600)
async def test_every_task_ends_exactly_once_whatever_is_killed(devstack_run: Run) -> None:
    weather = Weather(seed=random.randrange(1_000_000), tasks=2000, at_least=500, seconds=25)
    verdict = await storm(weather, devstack_run)
    print(verdict)
    assert verdict.violations == [], str(verdict)
    assert len(verdict.history.rows) >= 500
    assert set(verdict.disasters) == set(Disaster)
