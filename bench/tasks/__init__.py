"""The task engine beside `procrastinate`, on the same PostgreSQL, in the same run."""
