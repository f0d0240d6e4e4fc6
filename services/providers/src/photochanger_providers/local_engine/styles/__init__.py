"""Artistic styles. Each keeps the people recognisable: surroundings change most, faces least."""
