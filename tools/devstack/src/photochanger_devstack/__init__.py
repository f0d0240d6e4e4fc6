"""The embedded stack of PhotoChanger, the `photochanger` command line and the pytest plugin."""

import os

# Before anything imports gRPC: its fork handlers abort a child that is started as another user (PostgreSQL's, for
# root), because there Python has to fork. Nothing here uses gRPC in a forked child.
# https://github.com/grpc/grpc/blob/master/doc/fork_support.md
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
