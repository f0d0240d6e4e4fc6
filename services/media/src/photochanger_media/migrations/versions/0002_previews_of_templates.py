"""Templates have previews, which live as long as they do."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE media_objects
            DROP CONSTRAINT owned_by_job,
            ADD CONSTRAINT owned_by_job CHECK (
                kind NOT IN ('input', 'result') OR (slot_id IS NOT NULL AND job_id IS NOT NULL)
            ),
            DROP CONSTRAINT only_templates_last,
            ADD CONSTRAINT only_templates_last CHECK (
                kind = 'preview' OR (kind = 'template') = (expires_at IS NULL)
            )
        """
    )
    # The next sweep makes those of the templates there are.
    op.execute(
        "UPDATE media_objects SET preview = 'wanted' "
        "WHERE kind = 'template' AND preview = 'none' AND ended_at IS NULL"
    )
