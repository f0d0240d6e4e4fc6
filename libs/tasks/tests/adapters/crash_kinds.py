"""The kinds of the processes that test_crashes.py starts: each end leaves one row in `effects`."""

from dataclasses import replace

from google.protobuf.wrappers_pb2 import StringValue
from photochanger_chassis.postgres.pool import Connection, Pool
from photochanger_tasks import Attempt, Kinds, Queue, Task, TaskKind


async def store_effect(conn: Connection, task: Task) -> None:
    await conn.execute("INSERT INTO effects (task_id, attempt) VALUES (%s, %s)", (task.id, task.attempt))


def crash_kind(queue: str) -> TaskKind[StringValue]:
    return TaskKind(name="say", queue=queue, payload=StringValue, on_done=store_effect)


def kinds(_: Pool, queue: str = "crash") -> Kinds:
    async def work(_attempt: Attempt[StringValue]) -> StringValue:
        return StringValue(value="done")

    stored = crash_kind(queue)
    plain = replace(stored, name="plain", on_done=None)
    return Kinds.of("test", stored.handled_by(work), plain.handled_by(work), queues=[Queue(queue)])
