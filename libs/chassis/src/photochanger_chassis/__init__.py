"""What every service needs once: settings, logs, metrics, traces, gRPC, PostgreSQL, NATS, lifecycle.

Knows no photo, slot or provider. See README.md for a summary of the interface.
"""
