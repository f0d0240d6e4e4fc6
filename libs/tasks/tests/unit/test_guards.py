from dataclasses import replace

import pytest
from photochanger_tasks.guards import Guard, Limits
from photochanger_tasks.machine import Load

IDLE = Load(memory=0.2, cpu=0.2, free_bytes=4 << 30)


class Machine:
    def __init__(self) -> None:
        self.load = IDLE

    def look(self) -> Load:
        return self.load


@pytest.mark.parametrize(
    ("short", "reason"),
    [
        ({"memory": 0.86}, "memory"),
        ({"cpu": 0.91}, "cpu"),
        ({"free_bytes": 499 << 20}, "free_memory"),
    ],
)
def test_a_guard_closes_when_the_machine_is_short_and_opens_again(
    short: dict[str, float], reason: str
) -> None:
    machine = Machine()
    guard = Guard(Limits(), machine.look)
    assert guard.check()
    machine.load = replace(IDLE, **short)  # type: ignore[arg-type] # one field of several types
    assert not guard.check()
    assert guard.reason == reason
    machine.load = IDLE
    assert guard.check()
    assert guard.reason == ""


def test_a_guard_does_not_flutter_around_its_limit() -> None:
    machine = Machine()
    guard = Guard(Limits(memory=0.85), machine.look)
    states = []
    for memory in (0.84, 0.86, 0.84, 0.82, 0.79, 0.84, 0.86):
        machine.load = replace(IDLE, memory=memory)
        states.append(guard.check())
    assert states == [True, False, False, False, True, True, False]
