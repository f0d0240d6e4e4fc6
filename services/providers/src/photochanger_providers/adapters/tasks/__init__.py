"""Photos as tasks of the engine."""
