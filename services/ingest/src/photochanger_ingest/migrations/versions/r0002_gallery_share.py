"""Galleries opened to guests for a short time."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE gallery_share (
            singleton    boolean PRIMARY KEY DEFAULT true CHECK (singleton),
            requested_at timestamptz NOT NULL,
            requested_by text NOT NULL CHECK (requested_by <> ''),
            share_until  timestamptz NOT NULL,
            CHECK (share_until > requested_at)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE gallery_share")
