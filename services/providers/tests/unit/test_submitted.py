"""What is reckoned for submitted work: when it starts, how its end is told, how much of a limit it may take."""

from datetime import UTC, datetime, timedelta

import pytest
from photochanger_providers.adapters.tasks.kinds import fleet_limit
from photochanger_providers.application.submitted import Turn, expected_start

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEN_SECONDS = timedelta(seconds=10)


@pytest.mark.parametrize(
    ("turn", "seconds"),
    [
        (Turn(ahead=0, running=0, parallel=2, mean_work=TEN_SECONDS), 0),
        (Turn(ahead=0, running=1, parallel=2, mean_work=None), 0),
        (Turn(ahead=0, running=2, parallel=2, mean_work=TEN_SECONDS), 5),
        (Turn(ahead=7, running=2, parallel=2, mean_work=TEN_SECONDS), 40),
    ],
)
def test_a_start_is_expected_when_those_before_are_done(turn: Turn, seconds: float) -> None:
    assert expected_start(turn, now=NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "turn",
    [
        Turn(ahead=0, running=0, parallel=0, mean_work=TEN_SECONDS),
        Turn(ahead=5, running=2, parallel=2, mean_work=None),
    ],
    ids=["no worker", "nothing done yet"],
)
def test_no_start_is_expected_where_nothing_is_known(turn: Turn) -> None:
    assert expected_start(turn, now=NOW) is None


@pytest.mark.parametrize(("places", "share", "limit"), [(30, 0.8, 24), (30, 1, 30), (2, 0.8, 1), (1, 0.1, 1)])
def test_tasks_take_their_share_of_the_places_and_at_least_one(places: int, share: float, limit: int) -> None:
    assert fleet_limit(places, share) == limit
