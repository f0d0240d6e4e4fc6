"""Where the providers service touches gRPC, PostgreSQL, NATS, HTTP and other services."""
