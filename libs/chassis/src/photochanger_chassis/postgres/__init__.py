"""PostgreSQL: pool, migrations, notifications, outbox."""
