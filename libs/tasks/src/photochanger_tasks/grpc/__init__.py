"""The engine over gRPC, for those who watch over its queues."""
