"""NATS: what holds across replicas of the gateway."""
