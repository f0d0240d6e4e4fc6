"""Stand-ins for tests of this service and of those that call it. Never part of a running service."""
