"""Values and rules of the providers service. No I/O, no async."""
