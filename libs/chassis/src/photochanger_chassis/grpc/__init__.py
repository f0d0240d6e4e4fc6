"""gRPC on both sides: server, channel, errors, health."""
