"""Free TCP ports on loopback."""

from __future__ import annotations

import random
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

LOOPBACK = "127.0.0.1"
_STEPS = 200
_QUIET_PORTS = (20_000, 32_000)


def free_port() -> int:
    """A port nobody listens on now.

    Below those the kernel gives to outgoing connections (32768 and up on Linux): one of them could take the port
    between our look and a server's start.
    """
    return port_near(random.randrange(*_QUIET_PORTS))  # noqa: S311 - nothing to guess


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port with connections in TIME_WAIT counts as free, one with a listener does not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
        return True


def port_near(preferred: int, *, taken: Collection[int] = ()) -> int:
    """`preferred` if it is free and not in `taken`, else the next one up that is."""
    for port in range(preferred, min(preferred + _STEPS, 65536)):
        if port not in taken and is_free(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        chosen: int = probe.getsockname()[1]
        return chosen
