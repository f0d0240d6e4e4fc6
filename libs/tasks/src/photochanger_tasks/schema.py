"""The engine's tables. They belong to the service that owns the work."""


def create_task_tables() -> str:
    """Returns the DDL of the tables, for `op.execute` in a service's migration. They need `outbox`, too.

    Every index but those of keys covers a part of the rows only: what is live, or what is to be deleted.
    """
    return """
        CREATE TABLE tasks (
            id               text PRIMARY KEY,
            position         bigint GENERATED ALWAYS AS IDENTITY,
            kind             text NOT NULL,
            queue            text NOT NULL,
            priority         smallint NOT NULL CHECK (priority BETWEEN 0 AND 9),
            tenant           text NOT NULL,
            payload          bytea NOT NULL CHECK (octet_length(payload) <= 65536),
            payload_type     text NOT NULL,
            unique_key       text,
            deadline_at      timestamptz,
            run_at           timestamptz,
            state            text NOT NULL CHECK (state IN (
                'blocked', 'scheduled', 'queued', 'running', 'done', 'failed', 'dead', 'cancelled')),
            attempt          integer NOT NULL DEFAULT 0,
            failures         integer NOT NULL DEFAULT 0,
            max_attempts     integer NOT NULL CHECK (max_attempts > 0),
            dispatch         integer NOT NULL DEFAULT 0,
            virtual_start    double precision NOT NULL,
            parent_id        text,
            step             integer NOT NULL DEFAULT 0,
            cancel_requested boolean NOT NULL DEFAULT false,
            progress         smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
            stage            text NOT NULL DEFAULT '',
            status           text NOT NULL DEFAULT '',
            result           bytea,
            reason           text NOT NULL DEFAULT '',
            message          text NOT NULL DEFAULT '',
            owner            text,
            lease_until      timestamptz,
            created_at       timestamptz NOT NULL,
            started_at       timestamptz,
            finished_at      timestamptz,
            keep_until       timestamptz,
            decided_by       text NOT NULL DEFAULT '',
            trace            jsonb NOT NULL DEFAULT '{}',
            CHECK ((state IN ('done', 'failed', 'dead', 'cancelled')) = (finished_at IS NOT NULL)),
            CHECK ((finished_at IS NULL) = (keep_until IS NULL)),
            CHECK ((owner IS NULL) = (lease_until IS NULL)),
            CHECK (owner IS NULL OR state = 'running')
        ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
        CREATE INDEX tasks_queued ON tasks (queue, priority, virtual_start, position) WHERE state = 'queued';
        CREATE INDEX tasks_running ON tasks (queue, priority, virtual_start) WHERE state = 'running';
        CREATE INDEX tasks_scheduled ON tasks (run_at) WHERE state = 'scheduled';
        CREATE INDEX tasks_blocked ON tasks (queue) WHERE state = 'blocked';
        CREATE INDEX tasks_deadline ON tasks (deadline_at)
            WHERE state IN ('blocked', 'scheduled', 'queued') AND deadline_at IS NOT NULL;
        CREATE UNIQUE INDEX tasks_unique_key ON tasks (unique_key)
            WHERE unique_key IS NOT NULL AND state IN ('blocked', 'scheduled', 'queued', 'running');
        CREATE INDEX tasks_children ON tasks (parent_id, step) WHERE parent_id IS NOT NULL;
        CREATE INDEX tasks_dead ON tasks (position) WHERE state = 'dead';
        CREATE INDEX tasks_kept ON tasks (keep_until) WHERE keep_until IS NOT NULL;

        CREATE TABLE task_tenants (
            queue        text NOT NULL,
            priority     smallint NOT NULL,
            tenant       text NOT NULL,
            last_virtual double precision NOT NULL,
            PRIMARY KEY (queue, priority, tenant)
        );
        CREATE INDEX task_tenants_last ON task_tenants (queue, priority, last_virtual);

        CREATE TABLE task_steps (
            parent_id     text NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
            step          integer NOT NULL,
            weight        double precision NOT NULL CHECK (weight > 0),
            allow_partial boolean NOT NULL,
            PRIMARY KEY (parent_id, step)
        );

        CREATE TABLE task_workers (
            id         text PRIMARY KEY,
            queues     text[] NOT NULL,
            slots      integer NOT NULL,
            running    integer NOT NULL,
            guard      text NOT NULL,
            started_at timestamptz NOT NULL,
            seen_at    timestamptz NOT NULL
        );

        CREATE TABLE task_cache (
            key        text PRIMARY KEY,
            value      bytea NOT NULL,
            expires_at timestamptz NOT NULL
        );
        CREATE INDEX task_cache_expires ON task_cache (expires_at)
    """
