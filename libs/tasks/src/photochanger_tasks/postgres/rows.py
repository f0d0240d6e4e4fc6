"""Rows of `tasks` as values."""

from dataclasses import fields
from operator import itemgetter
from typing import Any, Final, TypeAlias

from psycopg import AsyncCursor
from psycopg.rows import RowMaker, no_result

from photochanger_tasks.model import State, Task

_FIELDS: Final = tuple(field.name for field in fields(Task))
_STATE: Final = _FIELDS.index("state")

_Cursor: TypeAlias = AsyncCursor[Any]  # what psycopg hands to a row factory, whatever its rows


def task_row(cursor: _Cursor) -> RowMaker[Task]:
    """Makes `Task`s of rows that have its fields as columns, in any order and among others."""
    if cursor.description is None:
        return no_result
    names = [column.name for column in cursor.description]
    chosen = itemgetter(*(names.index(name) for name in _FIELDS))

    def make(values: Any) -> Task:
        picked = list(chosen(values))
        picked[_STATE] = State(picked[_STATE])
        return Task(*picked)

    return make
