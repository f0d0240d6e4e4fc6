"""The service's calls."""
