"""Calls to providers and media."""
