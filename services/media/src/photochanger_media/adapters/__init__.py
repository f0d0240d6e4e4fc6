"""Translation to and from gRPC, PostgreSQL, S3 and NATS. No rules."""
