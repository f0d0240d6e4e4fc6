"""Photos that workers run: the task engine's tables, what is to be done with each photo, places lent to tasks."""

from alembic import op
from photochanger_tasks.schema import create_task_tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(create_task_tables())
    op.execute(
        """
        CREATE TABLE photo_tasks (
            job_id       text PRIMARY KEY CHECK (job_id ~ '^[0-9a-f]{32}$'),
            task_id      text,
            provider_id  text NOT NULL,
            request      bytea,
            created_at   timestamptz NOT NULL,
            ended_at     timestamptz,
            work_seconds double precision
        )
        """
    )
    op.execute(
        "CREATE INDEX photo_tasks_worked ON photo_tasks (provider_id, ended_at) WHERE work_seconds IS NOT NULL"
    )
    op.execute("CREATE INDEX photo_tasks_ended ON photo_tasks (ended_at) WHERE ended_at IS NOT NULL")
    # A task's place: there while its worker calls the provider, deleted afterwards. It has no outcome of its own.
    op.execute("ALTER TABLE process_calls ADD COLUMN of_task boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("DELETE FROM process_calls WHERE of_task")
    op.execute("ALTER TABLE process_calls DROP COLUMN of_task")
    op.execute("DROP TABLE photo_tasks, task_cache, task_workers, task_steps, task_tenants, tasks")
