"""Where psycopg's errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from photochanger_chassis.errors import Unavailable

_RETRY_AFTER = timedelta(seconds=1)


class PostgresUnavailable(Unavailable):
    """The database cannot be reached, or has no room for the request now."""

    reason = "DATABASE_UNAVAILABLE"


@contextmanager
def postgres_errors() -> Iterator[None]:
    """Turns what passes by itself into `PostgresUnavailable`: no connection, no room, a lost race.

    Everything else is left alone. Constraint violations mean something to the caller, who catches the one it
    expects inside this block; what nobody expects is a bug and shows as one.
    """
    try:
        yield
    except (PoolTimeout, TooManyRequests, PoolClosed) as error:
        raise PostgresUnavailable("The database has no free connection.", retry_after=_RETRY_AFTER) from error
    except (pg.SerializationFailure, pg.DeadlockDetected) as error:
        raise PostgresUnavailable(
            "The database gave way to another transaction.", retry_after=_RETRY_AFTER
        ) from error
    except (
        psycopg.OperationalError,  # server gone, shutting down, out of connections, statement timeout
        psycopg.InterfaceError,  # used after the connection was lost
        pg.ReadOnlySqlTransaction,  # still talking to what was the primary
    ) as error:
        raise PostgresUnavailable("The database cannot be reached.", retry_after=_RETRY_AFTER) from error
