"""The engine on PostgreSQL: submissions, claims, ends, sweeps."""
