"""The versions of slots, and what the slots' activity is read from."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE slot_versions (
            slot_id       text NOT NULL REFERENCES slots (id),
            version       bigint NOT NULL CHECK (version > 0),
            -- All values but the password's hash, which nobody gets back.
            snapshot      jsonb NOT NULL CHECK (jsonb_typeof(snapshot) = 'object' AND NOT snapshot ? 'password_hash'),
            changed_fields text[] NOT NULL DEFAULT '{}',
            restored_from bigint CHECK (restored_from BETWEEN 1 AND version - 1),
            updated_at    timestamptz NOT NULL,
            updated_by    text NOT NULL,
            PRIMARY KEY (slot_id, version)
        )
        """
    )
    # What was there before counts as the first version known.
    op.execute(
        """
        INSERT INTO slot_versions (slot_id, version, snapshot, updated_at, updated_by)
        SELECT id, version, jsonb_build_object(
            'display_name', display_name, 'active', active,
            'provider_id', provider_id, 'operation_id', operation_id, 'settings', settings,
            'templates', coalesce(
                (
                    SELECT jsonb_agg(jsonb_build_object('id', media_object_id, 'role', role) ORDER BY position)
                    FROM slot_templates WHERE slot_id = slots.id
                ),
                '[]'
            ),
            'size_limit_bytes', size_limit_bytes, 'sync_response_seconds', extract(epoch FROM sync_response)::float8,
            'response_mode', response_mode, 'on_failure', on_failure, 'late_results', late_results,
            'output_format', output_format, 'dedupe', dedupe, 'running_limit', running_limit,
            'queue_length', queue_length, 'own_password', password_hash IS NOT NULL
        ), updated_at, updated_by
        FROM slots
        """
    )
    # A slot's last jobs of each state, and its last success, among the cameras' however many came since.
    op.execute(
        "CREATE INDEX jobs_ended_by_slot ON jobs (slot_id, state, finished_at) "
        "WHERE source = 'ingest' AND finished_at IS NOT NULL"
    )
    # Whether a slot has an unexpired picture at all, without a look at its expired ones.
    op.execute(
        "CREATE INDEX jobs_result_expiry ON jobs (slot_id, result_expires_at) WHERE result IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX jobs_result_expiry")
    op.execute("DROP INDEX jobs_ended_by_slot")
    op.execute("DROP TABLE slot_versions")
