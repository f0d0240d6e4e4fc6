"""The schema of ingest's database, one module per revision."""
