"""What is noted of the work on a photo."""

import pytest
from photochanger_providers.application.work_log import WorkLog
from photochanger_providers.domain.order import Effort


def test_work_that_has_not_begun_took_nothing() -> None:
    assert WorkLog().effort == Effort()


def test_stages_are_told_in_the_order_in_which_they_began_and_once_each() -> None:
    log = WorkLog()
    with log.stage("fetch"):
        pass
    with log.stage("provider"):
        for _ in range(2):
            with log.stage("check"):
                pass

    assert [stage.name for stage in log.effort.stages] == ["fetch", "provider", "check"]


def test_the_time_of_an_inner_stage_is_not_the_outer_ones() -> None:
    log = WorkLog(iter([0.0, 1.0, 3.0, 7.0, 9.0, 10.0]).__next__)
    with log.stage("provider"):
        for _ in range(2):
            with log.stage("check"):
                pass

    took = {stage.name: stage.duration.total_seconds() for stage in log.effort.stages}
    assert took == {"provider": 6.0, "check": 4.0}


def test_a_stage_that_is_left_by_an_error_counts() -> None:
    log = WorkLog()
    with pytest.raises(KeyError), log.stage("provider"):
        raise KeyError

    assert [stage.name for stage in log.effort.stages] == ["provider"]
