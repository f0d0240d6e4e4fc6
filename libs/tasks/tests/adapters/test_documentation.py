import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from google.protobuf.wrappers_pb2 import Int64Value, StringValue
from photochanger_chassis.postgres.pool import connection
from photochanger_tasks import State
from photochanger_tasks.testing import Engine

Open = Callable[..., AbstractAsyncContextManager[Engine]]
PAGE = Path(__file__).parents[4] / "docs" / "tasks.md"


async def test_the_kind_of_task_in_the_documentation_works(open_engine: Open, queue: str) -> None:
    (example, *_) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    page: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, str(PAGE), "exec"), page)
    kind = replace(page["COUNT_WORDS"].handled_by(page["CountWords"](busy=True)), queue=queue)
    async with open_engine(kind) as engine:
        async with connection(engine.pool) as conn:
            await conn.execute("CREATE TABLE word_counts (task_id text PRIMARY KEY, words bigint)")
        async with engine.working(engine.worker({queue: 2}), keeper=True):
            counted, empty = await engine.submit(
                kind.task(StringValue(value="three small words"), tenant="a"),
                kind.task(StringValue(), tenant="a"),
            )
            done, failed = await engine.ended(counted.task.id, empty.task.id)
        async with connection(engine.pool) as conn:
            rows = await (await conn.execute("SELECT * FROM word_counts")).fetchall()
    assert (done.state, done.attempt, done.failures) == (State.DONE, 2, 0)
    assert Int64Value.FromString(done.result or b"").value == 3
    assert rows == [(done.id, 3)]
    assert (failed.state, failed.reason) == (State.FAILED, "empty_text")
