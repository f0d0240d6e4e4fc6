"""Schema of the providers database."""
