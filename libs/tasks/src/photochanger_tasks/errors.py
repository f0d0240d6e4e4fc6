"""What handlers raise, and what callers of the engine may get.

Failed                  the handler says that no repeat helps
Deferred                not now: a provider's back-pressure; does not count as a failure
ServiceError
├── TaskNotFound        no such task
├── TaskNotDead         only a dead task is requeued or dropped
├── UniqueKeyTaken      a live task has the key meanwhile, so the dead one stays dead
├── PipelineEnded       no more steps are taken
└── AttemptOvertaken    this attempt's word no longer counts; the handler lets it pass
"""

from datetime import timedelta
from typing import Final

from photochanger_chassis.errors import ErrorKind, ServiceError


class Failed(Exception):
    """Raised by a handler: the work cannot succeed, trying again does not help.

    `reason` is lower_snake and stable; the message is for people and holds no secrets.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason: Final = reason
        self.message: Final = message


class Deferred(Exception):
    """Raised by a handler: not now. The task waits for `retry_after` and uses up no attempt."""

    def __init__(self, retry_after: timedelta, reason: str = "deferred", message: str = "") -> None:
        super().__init__(message or reason)
        self.retry_after: Final = retry_after
        self.reason: Final = reason
        self.message: Final = message


class TaskNotFound(ServiceError):
    """There is no such task, or its time in the history is over."""

    kind, reason = ErrorKind.NOT_FOUND, "TASK_NOT_FOUND"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"Task {task_id} does not exist.", taskId=task_id)


class TaskNotDead(ServiceError):
    """Only a dead task can be requeued or dropped."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "TASK_NOT_DEAD"

    def __init__(self, task_id: str, state: str) -> None:
        super().__init__(f"Task {task_id} is {state}, not dead.", taskId=task_id, state=state)


class UniqueKeyTaken(ServiceError):
    """A live task has the same unique key."""

    kind, reason = ErrorKind.ALREADY_EXISTS, "TASK_UNIQUE_KEY_TAKEN"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"Another task has taken the unique key of task {task_id}.", taskId=task_id)


class PipelineEnded(ServiceError):
    """The pipeline has ended, or is past the step."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "PIPELINE_ENDED"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"Pipeline {task_id} takes no more tasks for this step.", taskId=task_id)


class AttemptOvertaken(ServiceError):
    """The attempt was cancelled, or its lease has lapsed: nothing it writes counts."""

    kind, reason = ErrorKind.ABORTED, "ATTEMPT_OVERTAKEN"

    def __init__(self, task_id: str, attempt: int) -> None:
        super().__init__(
            f"Attempt {attempt} of task {task_id} was overtaken.", taskId=task_id, attempt=str(attempt)
        )
