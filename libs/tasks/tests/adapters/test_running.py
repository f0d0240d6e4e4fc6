from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from google.protobuf.wrappers_pb2 import StringValue
from photochanger_tasks import Attempt, State, TaskKind
from photochanger_tasks.testing import Engine

Open = Callable[..., AbstractAsyncContextManager[Engine]]


async def test_a_submitted_task_is_run_and_its_result_is_stored(
    open_engine: Open, kind: TaskKind[StringValue], queue: str
) -> None:
    async def say(attempt: Attempt[StringValue]) -> StringValue:
        return StringValue(value=attempt.payload.value.upper())

    async with open_engine(kind.handled_by(say)) as engine, engine.working(engine.worker({queue: 2})):
        submitted = await engine.submit(*(kind.task(StringValue(value=f"t{n}"), tenant="a") for n in range(5)))
        ended = await engine.ended(*(each.task.id for each in submitted))
    assert [task.state for task in ended] == [State.DONE] * 5
    assert [StringValue.FromString(task.result or b"").value for task in ended] == ["T0", "T1", "T2", "T3", "T4"]
    assert {task.attempt for task in ended} == {1}
