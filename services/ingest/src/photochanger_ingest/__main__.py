"""`python -m photochanger_ingest serve|migrate|rotate-keys`."""

import argparse
import asyncio

import structlog
from photochanger_chassis.clock import SystemClock
from photochanger_chassis.lifecycle import run_service
from photochanger_chassis.logging import configure_logging
from photochanger_chassis.metrics import serve_metrics
from photochanger_chassis.postgres.migrate import check_schema, migrate
from photochanger_chassis.postgres.pool import open_pool
from photochanger_chassis.secret_box import SecretBox
from photochanger_chassis.settings import load
from photochanger_chassis.tracing import tracing

from photochanger_ingest.adapters.argon2 import Argon2Hasher
from photochanger_ingest.adapters.postgres.seed import seed_ingest_password
from photochanger_ingest.adapters.postgres.webhook_secrets import PostgresWebhookSecrets
from photochanger_ingest.main import MIGRATIONS, SERVICE, SHORT_IN_LOGS, open_ingest
from photochanger_ingest.settings import IngestSettings, MigrateSettings, RotateSettings

_log = structlog.stdlib.get_logger(__name__)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="photochanger_ingest", description="PhotoChanger's ingest service.")
    parser.add_argument(
        "command",
        choices=("serve", "migrate", "rotate-keys"),
        help="serve: run; migrate: prepare the database; rotate-keys: encrypt the stored webhook secrets with the "
        "newest SECRETS_ENCRYPTION_KEY",
    )
    match parser.parse_args().command:
        case "migrate":
            run_service(_migrate)
        case "rotate-keys":
            run_service(_rotate)
        case _:
            run_service(_serve)


async def _migrate(_stop: asyncio.Event) -> None:
    settings = load(MigrateSettings)
    configure_logging(SERVICE, settings, shortened=SHORT_IN_LOGS)
    await asyncio.to_thread(migrate, settings, MIGRATIONS)
    if settings.ingest_password is not None:
        hasher = Argon2Hasher(settings.password_pepper.get_secret_value())
        hashed = await asyncio.to_thread(hasher.hash, settings.ingest_password.get_secret_value())
        async with open_pool(settings, application=SERVICE) as pool:
            await seed_ingest_password(pool, hashed)


async def _rotate(_stop: asyncio.Event) -> None:
    settings = load(RotateSettings)
    configure_logging(SERVICE, settings, shortened=SHORT_IN_LOGS)
    async with open_pool(settings, application=SERVICE) as pool:
        box = SecretBox.from_text(settings.secrets_encryption_key.get_secret_value())
        _log.info("secrets.rotated", count=await PostgresWebhookSecrets(pool, box).reseal())


async def _serve(stop: asyncio.Event) -> None:
    settings = load(IngestSettings)
    configure_logging(SERVICE, settings, shortened=SHORT_IN_LOGS)
    await asyncio.to_thread(check_schema, settings, MIGRATIONS)
    with tracing(SERVICE, settings):
        async with serve_metrics(settings), open_ingest(settings, clock=SystemClock()):
            await stop.wait()


if __name__ == "__main__":
    main()
