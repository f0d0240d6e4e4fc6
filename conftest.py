"""Makes the embedded servers' fixtures available to every test of the workspace."""

pytest_plugins = ["photochanger_devstack.pytest_plugin"]
