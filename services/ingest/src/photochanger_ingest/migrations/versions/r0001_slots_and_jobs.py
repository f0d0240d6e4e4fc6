"""Slots, settings, jobs, idempotency keys and the outbox."""

from alembic import op
from photochanger_chassis.postgres.outbox import create_outbox_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Every operation of the `local` provider that needs no template image: a new installation shows what it can do
# without a key.
SEEDED_SLOTS = (
    ("Gradient background", "background_gradient"),
    ("Coloured background", "background_color"),
    ("Blurred background", "background_blur"),
    ("Sticker", "sticker"),
    ("Pencil drawing", "pencil"),
    ("Watercolour", "watercolor"),
    ("Comic", "comic"),
    ("Black and white portrait", "black_and_white_portrait"),
    ("Golden hour", "golden_hour"),
    ("Gradient background 2", "background_gradient"),
    ("Blurred background 2", "background_blur"),
    ("Watercolour 2", "watercolor"),
    ("Comic 2", "comic"),
    ("Golden hour 2", "golden_hour"),
    ("Coloured background 2", "background_color"),
)


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE settings (
            singleton           boolean PRIMARY KEY DEFAULT true CHECK (singleton),
            sync_response       interval NOT NULL DEFAULT '48 s' CHECK (sync_response BETWEEN '10 s' AND '60 s'),
            result_retention    interval NOT NULL DEFAULT '72 h' CHECK (result_retention BETWEEN '24 h' AND '168 h'),
            hash_policy         text NOT NULL DEFAULT 'warn' CHECK (hash_policy IN ('warn', 'enforce', 'ignore')),
            dedupe              boolean NOT NULL DEFAULT true,
            slot_running        integer NOT NULL DEFAULT 4 CHECK (slot_running BETWEEN 1 AND 50),
            slot_queue          integer NOT NULL DEFAULT 8 CHECK (slot_queue BETWEEN 0 AND 100),
            provider_running    jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(provider_running) = 'object'),
            password_hash       text,
            password_rotated_at timestamptz,
            password_rotated_by text NOT NULL DEFAULT '',
            version             bigint NOT NULL DEFAULT 1 CHECK (version > 0),
            CHECK ((password_hash IS NULL) = (password_rotated_at IS NULL))
        )
        """
    )
    op.execute("INSERT INTO settings DEFAULT VALUES")
    op.execute(
        """
        CREATE TABLE slots (
            id               text PRIMARY KEY CHECK (id ~ '^slot-0(0[1-9]|1[0-5])$'),
            display_name     text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 80),
            active           boolean NOT NULL DEFAULT true,
            version          bigint NOT NULL DEFAULT 1 CHECK (version > 0),
            provider_id      text NOT NULL CHECK (provider_id <> ''),
            operation_id     text NOT NULL CHECK (operation_id <> ''),
            settings         jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
            size_limit_bytes bigint NOT NULL DEFAULT 15728640 CHECK (size_limit_bytes BETWEEN 1048576 AND 20971520),
            sync_response    interval CHECK (sync_response BETWEEN '10 s' AND '60 s'),
            response_mode    text NOT NULL DEFAULT 'image' CHECK (response_mode IN ('image', 'multipart')),
            on_failure       text NOT NULL DEFAULT 'error' CHECK (on_failure IN ('error', 'original')),
            late_results     text NOT NULL DEFAULT 'discard' CHECK (late_results IN ('discard', 'keep')),
            output_format    text NOT NULL DEFAULT 'as_is' CHECK (output_format IN ('as_is', 'jpeg', 'png', 'webp')),
            dedupe           boolean,
            running_limit    integer CHECK (running_limit BETWEEN 1 AND 50),
            queue_length     integer CHECK (queue_length BETWEEN 0 AND 100),
            password_hash    text,
            updated_at       timestamptz NOT NULL DEFAULT now(),
            updated_by       text NOT NULL DEFAULT 'installation'
        )
        """
    )
    op.execute(
        """
        CREATE TABLE slot_templates (
            slot_id         text NOT NULL REFERENCES slots (id),
            position        integer NOT NULL CHECK (position >= 0),
            media_object_id text NOT NULL,
            role            text NOT NULL,
            PRIMARY KEY (slot_id, position)
        )
        """
    )
    op.execute("CREATE INDEX slot_templates_by_media_object ON slot_templates (media_object_id)")
    rows = ", ".join(
        f"('slot-{number:03}', '{name}', 'local', '{operation}')"
        for number, (name, operation) in enumerate(SEEDED_SLOTS, start=1)
    )
    op.execute(f"INSERT INTO slots (id, display_name, provider_id, operation_id) VALUES {rows}")
    op.execute(
        """
        CREATE TABLE jobs (
            -- The order of admission: positions are drawn under the admission lock.
            position         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
            id               text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
            slot_id          text NOT NULL REFERENCES slots (id),
            slot_version     bigint NOT NULL CHECK (slot_version > 0),
            state            text NOT NULL
                CHECK (state IN ('pending', 'running', 'done', 'failed', 'timeout', 'cancelled')),
            source           text NOT NULL CHECK (source IN ('ingest', 'ui_test')),
            provider_id      text NOT NULL,
            operation_id     text NOT NULL,
            received_at      timestamptz NOT NULL,
            created_at       timestamptz NOT NULL,
            deadline         timestamptz NOT NULL,
            started_at       timestamptz,
            finished_at      timestamptz,
            late_until       timestamptz,
            failure_reason   text,
            failure_message  text,
            result           jsonb,
            result_origin    text CHECK (result_origin IN ('provider', 'late', 'input')),
            result_expires_at timestamptz,
            input_media_object_id text NOT NULL,
            input_sha256     text NOT NULL CHECK (input_sha256 ~ '^[0-9a-f]{64}$'),
            input_size_bytes bigint NOT NULL CHECK (input_size_bytes >= 0),
            hash_check       text NOT NULL CHECK (hash_check IN ('unchecked', 'match', 'mismatch')),
            provider_calls   integer NOT NULL DEFAULT 0 CHECK (provider_calls >= 0),
            stages           jsonb NOT NULL DEFAULT '[]',
            -- What the job needs to be run; never read by lists.
            plan             jsonb NOT NULL,
            form_fields      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(form_fields) = 'object'),
            result_retention interval NOT NULL,
            -- Who drives it, and until when nobody else may.
            driver           text,
            driven_until     timestamptz,
            dedupe_key       text,
            dedupe_until     timestamptz,
            CHECK (deadline > received_at AND deadline <= received_at + interval '60 s'),
            CHECK ((finished_at IS NULL) = (state IN ('pending', 'running'))),
            CHECK (state <> 'pending' OR started_at IS NULL),
            CHECK (state NOT IN ('running', 'done') OR started_at IS NOT NULL),
            CHECK ((failure_reason IS NULL) = (state IN ('pending', 'running', 'done'))),
            CHECK ((failure_reason IS NULL) = (failure_message IS NULL)),
            CHECK ((result IS NULL) = (result_origin IS NULL)),
            CHECK ((state = 'done') = (result_origin IS NOT DISTINCT FROM 'provider')),
            CHECK (result_origin IS DISTINCT FROM 'late' OR state = 'timeout'),
            CHECK (result_origin IS DISTINCT FROM 'input' OR state IN ('failed', 'timeout')),
            CHECK (state IN ('pending', 'running', 'timeout') OR late_until IS NULL),
            CHECK ((dedupe_key IS NULL) = (dedupe_until IS NULL))
        )
        """
    )
    # One job at most answers the duplicates of a photo.
    op.execute("CREATE UNIQUE INDEX jobs_dedupe_key ON jobs (dedupe_key) WHERE dedupe_key IS NOT NULL")
    op.execute("CREATE INDEX jobs_dedupe_until ON jobs (dedupe_until) WHERE dedupe_until IS NOT NULL")
    # The live rows are few; everything that counts or sweeps them reads this index only.
    op.execute("CREATE INDEX jobs_unfinished ON jobs (position) WHERE state IN ('pending', 'running')")
    op.execute("CREATE INDEX jobs_overdue ON jobs (deadline) WHERE state IN ('pending', 'running')")
    op.execute("CREATE INDEX jobs_by_slot ON jobs (slot_id, position)")
    op.execute("CREATE INDEX jobs_gallery ON jobs (slot_id, position) WHERE result IS NOT NULL")
    op.execute(
        "CREATE INDEX jobs_recent_durations ON jobs (provider_id, operation_id, finished_at) WHERE state = 'done'"
    )
    op.execute("CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL")
    op.execute(
        "CREATE INDEX jobs_with_form_fields ON jobs (finished_at) "
        "WHERE form_fields <> '{}' AND finished_at IS NOT NULL"
    )
    op.execute(
        """
        CREATE TABLE idempotency_keys (
            slot_id        text NOT NULL REFERENCES slots (id),
            key            text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
            payload_digest text NOT NULL CHECK (payload_digest ~ '^[0-9a-f]{64}$'),
            job_id         text NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            expires_at     timestamptz NOT NULL,
            PRIMARY KEY (slot_id, key)
        )
        """
    )
    op.execute("CREATE INDEX idempotency_keys_by_job ON idempotency_keys (job_id)")
    op.execute("CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at)")
    op.execute(create_outbox_table())


def downgrade() -> None:
    for table in ("outbox", "idempotency_keys", "jobs", "slot_templates", "slots", "settings"):
        op.execute(f"DROP TABLE {table}")
