"""Webhooks of API clients: secrets, deliveries, and the tasks that carry them."""

from alembic import op
from photochanger_tasks import create_task_tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TASK_TABLES = ("task_cache", "task_workers", "task_steps", "task_tenants", "tasks")


def upgrade() -> None:
    op.execute(create_task_tables())
    op.execute(
        """
        -- A client has one secret, and for a day after a rotation the one before.
        CREATE TABLE webhook_secrets (
            client_id     text NOT NULL CHECK (client_id ~ '^[0-9a-f]{32}$'),
            version       integer NOT NULL CHECK (version > 0),
            secret_key_id text NOT NULL,
            nonce         bytea NOT NULL,
            ciphertext    bytea NOT NULL,
            created_at    timestamptz NOT NULL,
            expires_at    timestamptz,
            PRIMARY KEY (client_id, version)
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX webhook_secrets_current ON webhook_secrets (client_id) WHERE expires_at IS NULL"
    )
    op.execute(
        "CREATE INDEX webhook_secrets_expiry ON webhook_secrets (expires_at) WHERE expires_at IS NOT NULL"
    )
    op.execute(
        """
        -- Receivers that answered 410: nothing is sent there until one answers well to a resend.
        CREATE TABLE webhook_receivers (
            client_id       text NOT NULL CHECK (client_id ~ '^[0-9a-f]{32}$'),
            -- May hold a secret of the client's, as everywhere here: never in an event or a log.
            url             text NOT NULL CHECK (char_length(url) BETWEEN 1 AND 2000),
            switched_off_at timestamptz NOT NULL,
            PRIMARY KEY (client_id, url)
        )
        """
    )
    op.execute("CREATE INDEX webhook_receivers_age ON webhook_receivers (switched_off_at)")
    op.execute(
        """
        CREATE TABLE webhook_deliveries (
            position        bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
            id              text PRIMARY KEY CHECK (id ~ '^msg_[0-9a-f]{32}$'),
            client_id       text NOT NULL CHECK (client_id ~ '^[0-9a-f]{32}$'),
            job_id          text NOT NULL CHECK (job_id ~ '^[0-9a-f]{32}$'),
            type            text NOT NULL CHECK (type <> ''),
            url             text NOT NULL CHECK (char_length(url) BETWEEN 1 AND 2000),
            -- What is sent, byte for byte, however often.
            body            bytea NOT NULL,
            state           text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
            attempts        integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
            -- Of these, since the last resend, which `insists`: also a receiver that is switched off gets it.
            tries           integer NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND attempts),
            insists         boolean NOT NULL DEFAULT false,
            failure_reason  text NOT NULL DEFAULT '' CHECK ((failure_reason <> '') = (state = 'failed')),
            last_status     smallint,
            created_at      timestamptz NOT NULL,
            last_attempt_at timestamptz,
            next_attempt_at timestamptz CHECK (next_attempt_at IS NULL OR state = 'pending'),
            ended_at        timestamptz CHECK ((ended_at IS NULL) = (state = 'pending'))
        )
        """
    )
    op.execute("CREATE INDEX webhook_deliveries_by_client ON webhook_deliveries (client_id, position)")
    op.execute("CREATE INDEX webhook_deliveries_by_job ON webhook_deliveries (job_id, position)")
    op.execute(
        "CREATE INDEX webhook_deliveries_not_delivered ON webhook_deliveries (state, position) "
        "WHERE state <> 'delivered'"
    )
    op.execute(
        "CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL"
    )
    op.execute(
        """
        CREATE TABLE webhook_attempts (
            delivery_id text NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
            number      integer NOT NULL CHECK (number > 0),
            started_at  timestamptz NOT NULL,
            duration    interval NOT NULL CHECK (duration >= interval '0'),
            status      smallint,
            error       text NOT NULL DEFAULT '',
            PRIMARY KEY (delivery_id, number)
        )
        """
    )


def downgrade() -> None:
    for table in (
        "webhook_attempts",
        "webhook_deliveries",
        "webhook_receivers",
        "webhook_secrets",
        *TASK_TABLES,
    ):
        op.execute(f"DROP TABLE {table}")
