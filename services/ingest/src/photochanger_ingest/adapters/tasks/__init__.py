"""The tasks that ingest runs on its engine."""
