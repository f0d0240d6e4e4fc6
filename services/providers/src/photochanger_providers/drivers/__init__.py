"""The drivers: one file a provider, listed in `registry.py`."""
