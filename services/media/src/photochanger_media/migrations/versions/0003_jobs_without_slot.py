"""Jobs of API clients may have no slot: their pictures lie under `api`."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # Named by PostgreSQL, after table and column.
    op.execute(
        """
        ALTER TABLE media_objects
            DROP CONSTRAINT media_objects_slot_id_check,
            ADD CONSTRAINT media_objects_slot_id_check CHECK (slot_id ~ '^(slot-0(0[1-9]|1[0-5])|api)$') NOT VALID
        """
    )
    op.execute("ALTER TABLE media_objects VALIDATE CONSTRAINT media_objects_slot_id_check")
