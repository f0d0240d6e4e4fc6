"""The `photochanger` command line, one module per group of commands."""
