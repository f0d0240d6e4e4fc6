"""Stand-ins for what surrounds ingest. For tests only."""
