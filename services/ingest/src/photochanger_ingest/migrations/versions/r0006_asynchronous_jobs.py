"""Asynchronous jobs of API clients, and their keys."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Cameras are answered from these: a bulk sender's jobs must not make them longer.
SYNC_INDEXES = (
    ("jobs_unfinished", "(position)", "state IN ('pending', 'running')"),
    ("jobs_gallery", "(slot_id, position)", "result IS NOT NULL"),
    ("jobs_result_expiry", "(slot_id, result_expires_at)", "result IS NOT NULL"),
    ("jobs_recent_durations", "(provider_id, operation_id, finished_at)", "state = 'done'"),
)


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE jobs
            ADD COLUMN mode           text NOT NULL DEFAULT 'sync' CHECK (mode IN ('sync', 'async')),
            ADD COLUMN client_id      text CHECK (client_id ~ '^[0-9a-f]{32}$'),
            ADD COLUMN retry_of       text CHECK (retry_of ~ '^[0-9a-f]{32}$'),
            ADD COLUMN priority       smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 0 AND 9),
            ADD COLUMN attempts       integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
            ADD COLUMN progress       smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
            ADD COLUMN stage_text     text NOT NULL DEFAULT '' CHECK (char_length(stage_text) <= 200),
            -- Whom to tell of the end. May hold a secret of the client's: never in an event or a log.
            ADD COLUMN webhook_url    text CHECK (char_length(webhook_url) BETWEEN 1 AND 2000),
            -- When the providers service took the job into its queue.
            ADD COLUMN handed_over_at timestamptz,
            -- When it was last heard of, or asked about.
            ADD COLUMN heard_at       timestamptz,
            -- It has ended here, and the providers service has yet to be told.
            ADD COLUMN to_be_stopped  boolean NOT NULL DEFAULT false,
            ALTER COLUMN slot_id DROP NOT NULL,
            ALTER COLUMN slot_version DROP NOT NULL,
            DROP CONSTRAINT jobs_source_check,
            ADD CONSTRAINT jobs_source_check CHECK (source IN ('ingest', 'ui_test', 'api')),
            ADD CONSTRAINT slot_has_a_version CHECK ((slot_id IS NULL) = (slot_version IS NULL)),
            ADD CONSTRAINT async_is_a_clients CHECK (
                CASE mode
                    WHEN 'async' THEN source = 'api' AND client_id IS NOT NULL AND dedupe_key IS NULL
                        AND late_until IS NULL
                    ELSE source <> 'api' AND client_id IS NULL AND slot_id IS NOT NULL AND webhook_url IS NULL
                        AND retry_of IS NULL AND handed_over_at IS NULL AND NOT to_be_stopped
                END
            )
        """
    )
    # Constraints over several columns were numbered by PostgreSQL: the one on the deadline is found by what it says.
    op.execute(
        """
        DO $$
        DECLARE
            name text;
        BEGIN
            SELECT conname INTO STRICT name FROM pg_constraint
            WHERE conrelid = 'jobs'::regclass AND contype = 'c' AND pg_get_constraintdef(oid) LIKE '%received_at + %';
            EXECUTE format('ALTER TABLE jobs DROP CONSTRAINT %I', name);
        END
        $$
        """
    )
    op.execute(
        """
        ALTER TABLE jobs ADD CONSTRAINT deadline_fits_mode CHECK (
            deadline > received_at
            AND deadline <= received_at + CASE mode WHEN 'async' THEN interval '24 h' ELSE interval '60 s' END
        )
        """
    )
    for name, columns, condition in SYNC_INDEXES:
        op.execute(f"DROP INDEX {name}")
        op.execute(f"CREATE INDEX {name} ON jobs {columns} WHERE {condition} AND mode = 'sync'")
    op.execute(
        "CREATE INDEX jobs_unfinished_async ON jobs (heard_at, position) "
        "WHERE mode = 'async' AND state IN ('pending', 'running')"
    )
    op.execute(
        "CREATE INDEX jobs_to_hand_over ON jobs (position) "
        "WHERE mode = 'async' AND state IN ('pending', 'running') AND handed_over_at IS NULL"
    )
    op.execute("CREATE INDEX jobs_to_be_stopped ON jobs (finished_at) WHERE to_be_stopped")
    op.execute("CREATE INDEX jobs_by_client ON jobs (client_id, position) WHERE mode = 'async'")
    op.execute(
        """
        CREATE TABLE client_idempotency_keys (
            client_id      text NOT NULL CHECK (client_id ~ '^[0-9a-f]{32}$'),
            key            text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
            payload_digest text NOT NULL CHECK (payload_digest ~ '^[0-9a-f]{64}$'),
            job_id         text NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            expires_at     timestamptz NOT NULL,
            PRIMARY KEY (client_id, key)
        )
        """
    )
    op.execute("CREATE INDEX client_idempotency_keys_by_job ON client_idempotency_keys (job_id)")
    op.execute("CREATE INDEX client_idempotency_keys_expiry ON client_idempotency_keys (expires_at)")
    op.execute(
        """
        CREATE TABLE api_keys (
            position     bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
            id           text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
            client_id    text NOT NULL CHECK (client_id ~ '^[0-9a-f]{32}$'),
            name         text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
            -- 256 random bits need no salt and no slow hash: nobody can guess what was digested.
            key_sha256   bytea NOT NULL UNIQUE CHECK (octet_length(key_sha256) = 32),
            last_four    text NOT NULL CHECK (char_length(last_four) = 4),
            scopes       text[] NOT NULL
                CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['jobs:write', 'jobs:read', 'webhooks:manage']),
            created_at   timestamptz NOT NULL,
            created_by   text NOT NULL CHECK (created_by <> ''),
            revoked_at   timestamptz,
            revoked_by   text NOT NULL DEFAULT '',
            last_used_at timestamptz,
            CHECK ((revoked_at IS NULL) = (revoked_by = ''))
        )
        """
    )
    op.execute("CREATE INDEX api_keys_by_client ON api_keys (client_id)")


def downgrade() -> None:
    # What the tables could not hold before goes.
    op.execute("DELETE FROM jobs WHERE mode = 'async'")
    op.execute("DROP TABLE api_keys")
    op.execute("DROP TABLE client_idempotency_keys")
    for name in ("jobs_by_client", "jobs_to_be_stopped", "jobs_to_hand_over", "jobs_unfinished_async"):
        op.execute(f"DROP INDEX {name}")
    for name, columns, condition in SYNC_INDEXES:
        op.execute(f"DROP INDEX {name}")
        op.execute(f"CREATE INDEX {name} ON jobs {columns} WHERE {condition}")
    op.execute(
        """
        ALTER TABLE jobs
            DROP CONSTRAINT async_is_a_clients,
            DROP CONSTRAINT deadline_fits_mode,
            ADD CHECK (deadline > received_at AND deadline <= received_at + interval '60 s'),
            DROP CONSTRAINT slot_has_a_version,
            DROP CONSTRAINT jobs_source_check,
            ADD CONSTRAINT jobs_source_check CHECK (source IN ('ingest', 'ui_test')),
            ALTER COLUMN slot_version SET NOT NULL,
            ALTER COLUMN slot_id SET NOT NULL,
            DROP COLUMN to_be_stopped, DROP COLUMN heard_at, DROP COLUMN handed_over_at, DROP COLUMN webhook_url,
            DROP COLUMN stage_text, DROP COLUMN progress, DROP COLUMN attempts, DROP COLUMN priority,
            DROP COLUMN retry_of, DROP COLUMN client_id, DROP COLUMN mode
        """
    )
