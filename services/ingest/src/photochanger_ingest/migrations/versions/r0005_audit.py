"""What admins did."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The bounds are those of the domain, with room for characters that are written as escapes.
    op.execute(
        """
        CREATE TABLE audit_entries (
            id          text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
            occurred_at timestamptz NOT NULL,
            actor       text NOT NULL CHECK (char_length(actor) <= 640),
            address     text NOT NULL CHECK (char_length(address) <= 640),
            action      text NOT NULL CHECK (action ~ '^[a-z][a-z0-9.-]{0,63}$'),
            target      text NOT NULL CHECK (char_length(target) <= 1280),
            facts       jsonb NOT NULL DEFAULT '{}'
                CHECK (jsonb_typeof(facts) = 'object' AND octet_length(facts::text) <= 131072),
            outcome     text CHECK (outcome IN ('done', 'refused')),
            refusal     text NOT NULL DEFAULT '' CHECK (refusal ~ '^[a-z0-9_]{0,64}$'),
            CHECK ((outcome IS NOT DISTINCT FROM 'refused') = (refusal <> ''))
        )
        """
    )
    op.execute("CREATE INDEX audit_by_time ON audit_entries (occurred_at, id)")
    op.execute("CREATE INDEX audit_by_actor ON audit_entries (actor, occurred_at, id)")
    op.execute("CREATE INDEX audit_by_target ON audit_entries (target, occurred_at, id) WHERE target <> ''")
    # What an action is about: `slot` of `slot.update`.
    op.execute("CREATE INDEX audit_by_area ON audit_entries (split_part(action, '.', 1), occurred_at, id)")
    op.execute(
        """
        CREATE FUNCTION keep_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND OLD.occurred_at < now() - interval '400 days' THEN
                RETURN OLD;
            END IF;
            IF TG_OP = 'UPDATE' AND OLD.outcome IS NULL AND NEW.outcome IS NOT NULL AND NEW.facts @> OLD.facts
                AND (NEW.id, NEW.occurred_at, NEW.actor, NEW.address, NEW.action, NEW.target)
                    = (OLD.id, OLD.occurred_at, OLD.actor, OLD.address, OLD.action, OLD.target)
            THEN
                RETURN NEW;
            END IF;
            RAISE 'Audit entries are kept for 400 days, and changed but once: when their outcome is known.'
                USING ERRCODE = 'integrity_constraint_violation';
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER keep_audit_entries BEFORE UPDATE OR DELETE ON audit_entries "
        "FOR EACH ROW EXECUTE FUNCTION keep_audit_entries()"
    )
    op.execute(
        "CREATE TRIGGER keep_all_audit_entries BEFORE TRUNCATE ON audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_entries()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE audit_entries")
    op.execute("DROP FUNCTION keep_audit_entries")
