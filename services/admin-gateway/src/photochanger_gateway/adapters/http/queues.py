"""Queues, dead tasks and workers, for admins."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from fastapi import APIRouter, Path
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import PageQuery, json_answer
from photochanger_gateway.adapters.http.models import JOB_ID_PATTERN
from photochanger_gateway.adapters.http.public import error_answers
from photochanger_gateway.adapters.http.queue_models import DeadTasksBody, QueuesBody, TaskBody
from photochanger_gateway.adapters.http.signed_in import CurrentAdmin, SignedIn
from photochanger_gateway.application.audit import Audit
from photochanger_gateway.application.queue_views import QueueViews
from photochanger_gateway.domain.admins import Admin
from photochanger_gateway.domain.queues import Task

_TASK_ERRORS: Final = error_answers(
    s404="No such task: `task_not_found`.",
    s409="It is not dead (any more): `task_not_dead`; another live task has its key: `task_unique_key_taken`.",
)
_TaskPath = Annotated[str, Path(pattern=JOB_ID_PATTERN)]
_QueuePath = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class _Decision(Protocol):
    def __call__(self, task_id: str, *, by: str) -> Awaitable[Task]: ...


@dataclass(frozen=True, slots=True)
class QueueRoutes:
    """The routes of queues."""

    signed_in: SignedIn
    queues: QueueViews
    audit: Audit

    def router(self) -> APIRouter:
        """The routes."""
        router = self.signed_in.router("queues")
        router.add_api_route(
            "/api/queues",
            self._all,
            methods=["GET"],
            operation_id="list_queues",
            summary="All queues and workers",
            responses={200: {"model": QueuesBody, "description": "The queues."}},
        )
        router.add_api_route(
            "/api/queues/{queue}/dead",
            self._dead,
            methods=["GET"],
            operation_id="list_dead_tasks",
            summary="A queue's dead tasks, the latest first",
            responses={
                200: {"model": DeadTasksBody, "description": "A page of tasks."},
                **error_answers(s404="No such queue: `queue_not_found`."),
            },
        )
        router.add_api_route(
            "/api/queues/dead/{task_id}/requeue",
            self._requeue,
            methods=["POST"],
            operation_id="requeue_task",
            summary="Try a dead task again, with all its attempts",
            responses={200: {"model": TaskBody, "description": "It lives again."}, **_TASK_ERRORS},
        )
        router.add_api_route(
            "/api/queues/dead/{task_id}/drop",
            self._drop,
            methods=["POST"],
            operation_id="drop_task",
            summary="Give a dead task up for good",
            responses={200: {"model": TaskBody, "description": "It has failed for good."}, **_TASK_ERRORS},
        )
        return router

    async def _all(self) -> Response:
        return json_answer(QueuesBody.of(await self.queues.all()))

    async def _dead(self, queue: _QueuePath, page: PageQuery) -> Response:
        return json_answer(DeadTasksBody.of(await self.queues.dead(queue, page)))

    async def _requeue(self, admin: CurrentAdmin, task_id: _TaskPath) -> Response:
        return await self._decide(admin, "task.requeue", task_id, self.queues.requeue)

    async def _drop(self, admin: CurrentAdmin, task_id: _TaskPath) -> Response:
        return await self._decide(admin, "task.drop", task_id, self.queues.drop)

    async def _decide(self, admin: Admin, action: str, task_id: str, decide: _Decision) -> Response:
        async with self.audit.entry(admin, action, target=task_id) as entry:
            task = await decide(task_id, by=admin.username)
            entry.add(queue=task.queue, kind=task.kind)
        return json_answer(TaskBody.of(task))
