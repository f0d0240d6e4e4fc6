"""Counts of finished jobs, kept by the transactions that finish them."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PROVIDER_ERRORS = (
    "('provider_5xx', 'bad_response', 'quota', 'network', 'content_blocked', 'no_image', 'auth')"
)
COUNTS = ("finished", "done", "failed", "timeout", "cancelled", "provider_errors")

# What a job of a camera counts as; `job` is its row.
COUNTED = f"""
    1, (job.state = 'done')::integer, (job.state = 'failed')::integer, (job.state = 'timeout')::integer,
    (job.state = 'cancelled')::integer,
    (job.state = 'failed' AND job.failure_reason IN {PROVIDER_ERRORS})::integer
"""

BACKFILL = f"""
    WITH counted AS MATERIALIZED (
        SELECT slot_id, finished_at, duration_bucket(finished_at - received_at) AS bucket, {", ".join(COUNTS)}
        FROM jobs AS job, LATERAL (SELECT {COUNTED}) AS one ({", ".join(COUNTS)})
        WHERE source = 'ingest' AND finished_at IS NOT NULL
    ),
    periods AS (
        SELECT 'minute' AS resolution, date_bin('1 minute', finished_at, 'epoch') AS starts_at, counted.*
        FROM counted WHERE finished_at > now() - interval '3 days 1 hour'
        UNION ALL
        SELECT 'hour', date_bin('1 hour', finished_at, 'epoch'), counted.* FROM counted
        UNION ALL
        SELECT 'ever', 'epoch', counted.* FROM counted
    ),
    by_bucket AS (
        SELECT resolution, starts_at, slot_id, bucket, {", ".join(f"sum({name}) AS {name}" for name in COUNTS)}
        FROM periods GROUP BY resolution, starts_at, slot_id, bucket
    )
    INSERT INTO job_statistics (resolution, starts_at, slot_id, {", ".join(COUNTS)}, durations)
    SELECT resolution, starts_at, slot_id, {", ".join(f"sum({name})" for name in COUNTS)},
        ARRAY[{", ".join(f"coalesce(sum(done) FILTER (WHERE bucket = {n}), 0)" for n in range(1, 81))}]
    FROM by_bucket GROUP BY resolution, starts_at, slot_id
"""
"""Counts the jobs there are. The table must be empty, and nobody may finish a job meanwhile."""


def upgrade() -> None:
    op.execute(
        f"""
        CREATE TABLE job_statistics (
            resolution      text NOT NULL CHECK (resolution IN ('minute', 'hour', 'ever')),
            starts_at       timestamptz NOT NULL,
            slot_id         text NOT NULL REFERENCES slots (id),
            {", ".join(f"{name} bigint NOT NULL CHECK ({name} >= 0)" for name in COUNTS)},
            -- How many of the done jobs took how long: 80 buckets of equal ratio from 50 ms to 120 s.
            durations       integer[] NOT NULL CHECK (cardinality(durations) = 80),
            PRIMARY KEY (resolution, starts_at, slot_id),
            CHECK (finished = done + failed + timeout + cancelled),
            CHECK (provider_errors <= failed),
            CHECK (
                starts_at = CASE resolution
                    WHEN 'minute' THEN date_bin('1 minute', starts_at, 'epoch'::timestamptz)
                    WHEN 'hour' THEN date_bin('1 hour', starts_at, 'epoch'::timestamptz)
                    ELSE 'epoch'::timestamptz
                END
            )
        ) WITH (fillfactor = 50)
        """
    )
    op.execute(
        """
        CREATE FUNCTION duration_bucket(duration interval) RETURNS integer
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT greatest(1, least(80, ceil(
                80 * ln(greatest(extract(epoch FROM duration)::float8, 0.05) / 0.05) / ln(2400::float8)
            )::integer))
        $$
        """
    )
    # Always in the same order, the shorter period first: so two jobs of a slot wait for each other and never in a ring.
    op.execute(
        f"""
        CREATE FUNCTION count_finished_job() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            job     jobs%ROWTYPE := NEW;
            bucket  integer := duration_bucket(NEW.finished_at - NEW.received_at);
            first   integer[] := array_fill(0, ARRAY[80]);
        BEGIN
            first[bucket] := (NEW.state = 'done')::integer;
            INSERT INTO job_statistics AS kept (resolution, starts_at, slot_id, {", ".join(COUNTS)}, durations)
            VALUES
                ('minute', date_bin('1 minute', NEW.finished_at, 'epoch'), NEW.slot_id, {COUNTED}, first),
                ('hour', date_bin('1 hour', NEW.finished_at, 'epoch'), NEW.slot_id, {COUNTED}, first),
                ('ever', 'epoch', NEW.slot_id, {COUNTED}, first)
            ON CONFLICT (resolution, starts_at, slot_id) DO UPDATE SET
                {", ".join(f"{name} = kept.{name} + excluded.{name}" for name in COUNTS)},
                durations[bucket] = kept.durations[bucket] + excluded.durations[bucket];
            RETURN NULL;
        END
        $$
        """
    )
    # Deferred: the rows that all jobs of a slot share are locked when everything else of the transaction is done.
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER count_finished_job AFTER UPDATE OF state ON jobs
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (
            NEW.source = 'ingest' AND OLD.state IN ('pending', 'running')
            AND NEW.state NOT IN ('pending', 'running')
        )
        EXECUTE FUNCTION count_finished_job()
        """
    )
    # The trigger's lock keeps others from finishing jobs until all of this is committed: none is missed or counted
    # twice.
    op.execute(BACKFILL)
    op.execute(
        "CREATE INDEX jobs_failed ON jobs (slot_id, finished_at) "
        "WHERE source = 'ingest' AND failure_reason IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX jobs_failed")
    op.execute("DROP TRIGGER count_finished_job ON jobs")
    op.execute("DROP FUNCTION count_finished_job")
    op.execute("DROP TABLE job_statistics")
    op.execute("DROP FUNCTION duration_bucket")
