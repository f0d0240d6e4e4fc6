"""Deadlines of calls: read on the server, passed on by the client."""

from datetime import datetime, timedelta
from typing import Any

import grpc

from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import DeadlinePassed


def deadline_of(context: grpc.aio.ServicerContext[Any, Any], now: datetime) -> Deadline:
    """Returns the deadline of the call being served. The server refuses calls without one."""
    return Deadline.after(now, timedelta(seconds=max(context.time_remaining(), 0.0)))


def timeout_until(deadline: Deadline, now: datetime, *, at_most: timedelta | None = None) -> float:
    """Returns the `timeout=` in seconds for a call that has to end by the deadline.

    Raises:
        DeadlinePassed: there is no time left, so the call is not worth making.
    """
    remaining = deadline.remaining(now)
    if remaining <= timedelta():
        raise DeadlinePassed("The deadline has passed.")
    return (remaining if at_most is None else min(remaining, at_most)).total_seconds()
