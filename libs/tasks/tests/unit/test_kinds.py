from datetime import timedelta

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from hypothesis import given
from hypothesis import strategies as st
from photochanger_tasks import Backoff, Kinds, PipelineKind, State, TaskKind

KIND = TaskKind(name="photo.resize", queue="light", payload=StringValue)


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_a_pause_is_never_longer_than_the_cap_nor_than_the_doubled_base(failures: int, chance: float) -> None:
    backoff = Backoff(timedelta(seconds=1), timedelta(minutes=5))
    pause = backoff.pause(failures, lambda: chance)
    assert timedelta() <= pause <= min(timedelta(minutes=5), timedelta(seconds=2 ** min(failures - 1, 20)))


def test_pauses_double_until_the_cap() -> None:
    backoff = Backoff(timedelta(seconds=1), timedelta(seconds=10))
    assert [backoff.pause(n, lambda: 1.0).total_seconds() for n in range(1, 7)] == [1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize(
    "wrong",
    [{"name": "Resize"}, {"name": "a b"}, {"queue": "a.b"}, {"max_attempts": 0}, {"priority": 10}],
)
def test_a_kind_that_could_never_work_is_refused(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {"name": "a", "queue": "b", "payload": StringValue}
    with pytest.raises(ValueError, match=r"names are|at least"):
        TaskKind(**{**right, **wrong})  # type: ignore[arg-type] # wrong on purpose


def test_a_payload_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="65536"):
        KIND.task(StringValue(value="x" * 70_000), tenant="a")


@pytest.mark.parametrize("wrong", [{"priority": -1}, {"priority": 10}, {"weight": 0.0}])
def test_a_task_out_of_bounds_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Priority"):
        KIND.task(StringValue(), tenant="a", **wrong)  # type: ignore[arg-type] # wrong on purpose


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"photo\.resize"):
        Kinds.of("test", KIND, pipelines=[PipelineKind(name="photo.resize")])


def test_dead_tasks_are_kept_longer_than_others() -> None:
    assert KIND.keeps(State.DEAD) > KIND.keeps(State.FAILED)
