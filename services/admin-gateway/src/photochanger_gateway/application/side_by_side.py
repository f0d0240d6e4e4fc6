"""Several calls at once, with one answer when they fail."""

from collections.abc import Iterator
from contextlib import contextmanager

from photochanger_chassis.errors import ServiceError


@contextmanager
def first_refusal() -> Iterator[None]:
    """Lets the first refusal leave a `TaskGroup` as itself: a service that is away refuses all calls at once.

    Anything but refusals is a bug, and stays the group it is.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        refusals, others = group.split(ServiceError)
        if refusals is None or others is not None:
            raise
        error: BaseException = refusals
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from error.__cause__
