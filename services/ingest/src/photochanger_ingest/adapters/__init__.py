"""PostgreSQL, NATS, gRPC and the other services, each behind a port."""
