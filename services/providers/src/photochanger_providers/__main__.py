"""`photochanger-providers serve|worker|migrate|rotate-keys`, also as `python -m photochanger_providers …`."""

import argparse
import asyncio
from functools import partial

import structlog
from photochanger_chassis.lifecycle import run_service
from photochanger_chassis.logging import configure_logging
from photochanger_chassis.postgres.migrate import migrate
from photochanger_chassis.postgres.pool import open_pool
from photochanger_chassis.secret_box import SecretBox
from photochanger_chassis.settings import load

from photochanger_providers.adapters.allocator import give_memory_back_early
from photochanger_providers.adapters.postgres.keys import PostgresKeyStore
from photochanger_providers.main import MIGRATIONS, SERVICE, SHORT_IN_LOGS, WORKER, serve, work
from photochanger_providers.settings import MigrateSettings, RotateSettings, Settings, WorkerSettings

_log = structlog.stdlib.get_logger(__name__)


def main() -> None:
    """Runs the command named by the arguments."""
    parser = argparse.ArgumentParser(prog="photochanger-providers", description="The providers service.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the service until SIGTERM")
    worker = commands.add_parser("worker", help="run asynchronous jobs until SIGTERM")
    worker.add_argument(
        "--queue",
        action="append",
        default=[],
        metavar="PROVIDER",
        help="run this provider's jobs; may be given several times. None given: all providers'",
    )
    commands.add_parser("migrate", help="bring the database up to date")
    commands.add_parser(
        "rotate-keys", help="encrypt the stored provider keys with the newest SECRETS_ENCRYPTION_KEY"
    )
    arguments = parser.parse_args()
    match arguments.command:
        case "worker":
            run_service(partial(_work, queues=tuple(arguments.queue)))
        case "migrate":
            run_service(_migrate)
        case "rotate-keys":
            run_service(_rotate)
        case _:
            run_service(_serve)


async def _serve(stop: asyncio.Event) -> None:
    give_memory_back_early()
    settings = load(Settings)
    configure_logging(SERVICE, settings, shortened=SHORT_IN_LOGS)
    await serve(settings, stop)


async def _work(stop: asyncio.Event, *, queues: tuple[str, ...]) -> None:
    give_memory_back_early()
    settings = load(WorkerSettings)
    configure_logging(WORKER, settings, shortened=SHORT_IN_LOGS)
    await work(settings, stop, queues=queues)


async def _migrate(_: asyncio.Event) -> None:
    settings = load(MigrateSettings)
    configure_logging(SERVICE, settings, shortened=SHORT_IN_LOGS)
    await asyncio.to_thread(migrate, settings, MIGRATIONS)


async def _rotate(_: asyncio.Event) -> None:
    settings = load(RotateSettings)
    configure_logging(SERVICE, settings, shortened=SHORT_IN_LOGS)
    async with open_pool(settings, application=SERVICE) as pool:
        box = SecretBox.from_text(settings.secrets_encryption_key.get_secret_value())
        _log.info("secrets.rotated", count=await PostgresKeyStore(pool, box).rotate())


main()
