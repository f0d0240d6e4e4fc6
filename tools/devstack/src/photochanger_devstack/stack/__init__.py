"""The stack of one checkout: its plan, the supervisor that keeps it running, the commands that steer it."""
