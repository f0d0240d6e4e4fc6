"""Measures the platform beside a bare one-process application: `make bench`."""
