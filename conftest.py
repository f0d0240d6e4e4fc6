"""Makes the embedded servers' fixtures, and those of the shared stack, available to every test of the workspace."""

pytest_plugins = ["photochanger_devstack.pytest_plugin", "harness.fixtures"]
