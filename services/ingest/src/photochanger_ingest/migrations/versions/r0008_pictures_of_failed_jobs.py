"""A client's failed job may get its picture after all, when an admin has its dead task tried again."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NAME = "late_is_after_an_end"


def upgrade() -> None:
    # PostgreSQL numbered the constraint: it is found by what it says.
    op.execute(
        """
        DO $$
        DECLARE
            name text;
        BEGIN
            SELECT conname INTO STRICT name FROM pg_constraint
            WHERE conrelid = 'jobs'::regclass AND contype = 'c'
                AND pg_get_constraintdef(oid) LIKE '%result_origin IS DISTINCT FROM ''late''%';
            EXECUTE format('ALTER TABLE jobs DROP CONSTRAINT %I', name);
        END
        $$
        """
    )
    op.execute(
        f"""
        ALTER TABLE jobs ADD CONSTRAINT {_NAME}
            CHECK (result_origin IS DISTINCT FROM 'late' OR state IN ('failed', 'timeout'))
        """
    )


def downgrade() -> None:
    # Such a job could not be told from before; its picture ends by itself.
    op.execute(
        """
        UPDATE jobs SET result = NULL, result_origin = NULL, result_expires_at = NULL
        WHERE result_origin = 'late' AND state = 'failed'
        """
    )
    op.execute(f"ALTER TABLE jobs DROP CONSTRAINT {_NAME}")
    op.execute("ALTER TABLE jobs ADD CHECK (result_origin IS DISTINCT FROM 'late' OR state = 'timeout')")
