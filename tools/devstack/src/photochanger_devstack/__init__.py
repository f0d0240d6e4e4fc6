"""The embedded stack of PhotoChanger, the `photochanger` command line and the pytest plugin."""
