"""What the attempts at submitted photos did in vain, so that a failed job shows where its time went."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE photo_tasks ADD COLUMN effort bytea")


def downgrade() -> None:
    op.execute("ALTER TABLE photo_tasks DROP COLUMN effort")
