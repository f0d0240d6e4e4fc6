"""Media objects and links."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE media_objects (
            id           text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
            kind         text NOT NULL
                         CHECK (kind IN ('input', 'result', 'preview', 'template', 'temporary')),
            slot_id      text CHECK (slot_id ~ '^slot-0(0[1-9]|1[0-5])$'),
            job_id       text CHECK (job_id ~ '^[0-9a-f]{32}$'),
            parent_id    text REFERENCES media_objects ON DELETE CASCADE,
            key          text NOT NULL CHECK (key ~ '^(inputs|results|templates|temporary)/.'),
            format       text NOT NULL CHECK (format IN ('jpeg', 'png', 'webp')),
            size_bytes   bigint NOT NULL CHECK (size_bytes > 0),
            width_px     integer NOT NULL CHECK (width_px > 0),
            height_px    integer NOT NULL CHECK (height_px > 0),
            orientation  smallint NOT NULL CHECK (orientation BETWEEN 1 AND 8),
            sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
            etag         text NOT NULL CHECK (etag <> ''),
            created_at   timestamptz NOT NULL,
            expires_at   timestamptz,
            preview      text NOT NULL CHECK (preview IN ('none', 'wanted', 'made', 'failed')),
            end_reason   text CHECK (end_reason IN ('expired', 'deleted', 'replaced', 'lost')),
            ended_at     timestamptz,
            purged_at    timestamptz,
            CONSTRAINT owned_by_job CHECK (
                kind NOT IN ('input', 'result', 'preview') OR (slot_id IS NOT NULL AND job_id IS NOT NULL)
            ),
            CONSTRAINT public_is_upright CHECK (kind = 'input' OR orientation = 1),
            CONSTRAINT only_previews_have_a_parent CHECK ((kind = 'preview') = (parent_id IS NOT NULL)),
            CONSTRAINT only_templates_last CHECK ((kind = 'template') = (expires_at IS NULL)),
            CONSTRAINT ends_with_a_reason CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
            CONSTRAINT purged_after_its_end CHECK (purged_at IS NULL OR ended_at IS NOT NULL)
        )
        """
    )
    # A key, and a job's result, belong to one live object. Tombstones may share them.
    op.execute("CREATE UNIQUE INDEX one_live_object_per_key ON media_objects (key) WHERE ended_at IS NULL")
    op.execute(
        "CREATE UNIQUE INDEX one_live_result_per_job ON media_objects (job_id) "
        "WHERE kind = 'result' AND ended_at IS NULL"
    )
    op.execute(
        "CREATE UNIQUE INDEX one_live_preview_per_object ON media_objects (parent_id) "
        "WHERE kind = 'preview' AND ended_at IS NULL"
    )
    op.execute("CREATE INDEX media_by_expiry ON media_objects (expires_at) WHERE ended_at IS NULL")
    op.execute("CREATE INDEX media_by_job ON media_objects (job_id) WHERE ended_at IS NULL")
    op.execute(
        "CREATE INDEX media_by_slot ON media_objects (slot_id, kind, created_at DESC, id DESC) "
        "WHERE ended_at IS NULL"
    )
    op.execute("CREATE INDEX media_by_age ON media_objects (created_at DESC, id DESC) WHERE ended_at IS NULL")
    op.execute(
        "CREATE INDEX media_without_preview ON media_objects (created_at) "
        "WHERE preview = 'wanted' AND ended_at IS NULL"
    )
    op.execute(
        "CREATE INDEX media_to_purge ON media_objects (id) WHERE ended_at IS NOT NULL AND purged_at IS NULL"
    )
    op.execute("CREATE INDEX media_tombstones ON media_objects (ended_at) WHERE purged_at IS NOT NULL")
    op.execute("CREATE INDEX media_parents ON media_objects (parent_id) WHERE parent_id IS NOT NULL")
    op.execute(
        "CREATE INDEX media_usage ON media_objects (kind, slot_id) INCLUDE (size_bytes) "
        "WHERE purged_at IS NULL"
    )
    op.execute(
        """
        CREATE TABLE links (
            token_digest bytea PRIMARY KEY CHECK (octet_length(token_digest) = 32),
            media_id     text NOT NULL REFERENCES media_objects ON DELETE CASCADE,
            created_at   timestamptz NOT NULL,
            expires_at   timestamptz NOT NULL,
            CONSTRAINT ends_after_its_start CHECK (expires_at > created_at)
        )
        """
    )
    op.execute("CREATE INDEX links_by_expiry ON links (expires_at)")
    op.execute("CREATE INDEX links_by_media ON links (media_id)")
