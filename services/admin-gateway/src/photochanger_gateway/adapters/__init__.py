"""Where the gateway meets HTTP, the other services and NATS."""
