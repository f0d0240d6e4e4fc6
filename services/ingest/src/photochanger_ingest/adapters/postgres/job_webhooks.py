"""Makes deliveries in the transactions that end jobs."""

import structlog
from photochanger_chassis.ids import Ids
from photochanger_chassis.postgres.pool import Connection
from photochanger_tasks import Tasks

from photochanger_ingest.adapters.tasks.webhook_kind import delivery_task
from photochanger_ingest.domain.ids import DELIVERY_PREFIX, ClientId, DeliveryId
from photochanger_ingest.domain.job import Job, JobMode
from photochanger_ingest.domain.webhook import Delivery, DeliveryState, Schedule
from photochanger_ingest.domain.webhook_message import JOB_FINISHED, job_finished

_log = structlog.stdlib.get_logger(__name__)


class JobWebhooks:
    """Tells clients of the ends of their jobs, once a transaction commits."""

    def __init__(self, tasks: Tasks, ids: Ids, schedule: Schedule) -> None:
        self._tasks = tasks
        self._ids = ids
        self._schedule = schedule

    async def finished(self, conn: Connection, job: Job) -> None:
        """Has a job's client told, if the job came with a webhook URL. To be called once, late in the transaction."""
        if job.mode is not JobMode.ASYNC or job.client_id is None or job.finished_at is None:
            return
        cursor = await conn.execute(
            """
            SELECT webhook_url, EXISTS (SELECT FROM webhook_secrets AS held WHERE held.client_id = jobs.client_id)
            FROM jobs WHERE id = %s AND webhook_url IS NOT NULL
            """,
            (job.id,),
        )
        row = await cursor.fetchone()
        if row is None:
            return
        url, can_be_signed = row
        if not can_be_signed:
            # Jobs from before there were secrets: nobody could tell such a message from a forged one.
            _log.info("webhook.not_signed", job_id=job.id, client_id=job.client_id)
            return
        await self._add(conn, job, job.client_id, url)

    async def _add(self, conn: Connection, job: Job, client_id: ClientId, url: str) -> None:
        now = job.finished_at or job.created_at
        delivery = Delivery(
            id=DeliveryId(DELIVERY_PREFIX + self._ids.new_id()),
            client_id=client_id,
            job_id=job.id,
            type=JOB_FINISHED,
            url=url,
            state=DeliveryState.PENDING,
            created_at=now,
            next_attempt_at=now,
        )
        await conn.execute(
            """
            INSERT INTO webhook_deliveries (id, client_id, job_id, type, url, body, state, created_at, next_attempt_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                delivery.id,
                delivery.client_id,
                delivery.job_id,
                delivery.type,
                delivery.url,
                job_finished(job),
                delivery.state,
                delivery.created_at,
                delivery.next_attempt_at,
            ),
        )
        await self._tasks.submit(conn, delivery_task(delivery, deadline_at=now + self._schedule.life))
