"""NATS JetStream: connection, events."""
