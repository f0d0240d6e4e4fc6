"""Jobs being processed, circuit breakers, provider keys, outbox."""

from alembic import op
from photochanger_chassis.postgres.outbox import create_outbox_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE process_calls (
            job_id           text PRIMARY KEY CHECK (job_id ~ '^[0-9a-f]{32}$'),
            slot_id          text NOT NULL,
            provider_id      text NOT NULL,
            state            text NOT NULL CHECK (state IN ('claimed', 'queued', 'calling', 'storing',
            'finished')), owner            text NOT NULL, lease_until      timestamptz NOT NULL,
            cancel_requested boolean NOT NULL DEFAULT false, created_at       timestamptz NOT NULL,
            finished_at      timestamptz, outcome          bytea, retry_after      interval, CHECK ((state =
            'finished') = (outcome IS NOT NULL)), CHECK ((state = 'finished') = (finished_at IS NOT NULL))
        )
        """
    )
    op.execute(
        "CREATE INDEX process_calls_unfinished ON process_calls (provider_id, created_at, job_id)"
        " WHERE state <> 'finished'"
    )
    op.execute("CREATE INDEX process_calls_finished ON process_calls (finished_at) WHERE state = 'finished'")
    op.execute(
        """
        CREATE TABLE breakers (
            provider_id text NOT NULL,
            model       text NOT NULL,
            state       text NOT NULL CHECK (state IN ('closed', 'open', 'half_open')),
            failures    integer NOT NULL CHECK (failures >= 0),
            openings    integer NOT NULL CHECK (openings >= 0),
            until       timestamptz,
            PRIMARY KEY (provider_id, model),
            CHECK ((state = 'closed') = (until IS NULL))
        )
        """
    )
    op.execute(
        """
        CREATE TABLE provider_keys (
            provider_id   text PRIMARY KEY,
            key_version   bigint NOT NULL,
            secret_key_id text NOT NULL,
            nonce         bytea NOT NULL CHECK (octet_length(nonce) = 12),
            ciphertext    bytea NOT NULL,
            updated_at    timestamptz NOT NULL,
            updated_by    text NOT NULL
        )
        """
    )
    op.execute(create_outbox_table())


def downgrade() -> None:
    op.execute("DROP TABLE outbox, provider_keys, breakers, process_calls")
