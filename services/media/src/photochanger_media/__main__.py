"""The service's commands: `serve`, `migrate`, `cleanup`."""

import argparse
import asyncio
import sys

from photochanger_chassis.errors import ServiceError
from photochanger_chassis.lifecycle import EXIT_FAILED, EXIT_MISCONFIGURED, run_service
from photochanger_chassis.settings import SettingsError

from photochanger_media import main as service


def main() -> int:
    """Runs the command that is asked for; returns its exit code."""
    parser = argparse.ArgumentParser(prog="photochanger_media", description="Keeps the pictures.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve until SIGTERM")
    commands.add_parser("migrate", help="bring the database up to date and create the bucket")
    commands.add_parser("cleanup", help="remove what has expired or lost its other half, once")
    command = parser.parse_args().command
    if command == "serve":
        run_service(service.serve)
        return 0
    try:
        if command == "migrate":
            service.migrate()
        else:
            report = asyncio.run(service.cleanup())
            print(  # noqa: T201 - a command's answer
                f"expired {report.expired_count}, objects without a row {report.orphan_object_count}, "
                f"rows without an object {report.orphan_row_count}, unfinished {report.unfinished_count}, "
                f"freed {report.freed_bytes} bytes"
            )
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a person reads this
        return EXIT_MISCONFIGURED
    except ServiceError as error:
        print(error.message, file=sys.stderr)  # noqa: T201 - a person reads this
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
