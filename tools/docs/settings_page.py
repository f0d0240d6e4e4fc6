"""Writes docs/settings.md, the table of every environment variable: `python tools/docs/settings_page.py [--check]`.

What services read is taken from their settings classes, so that it cannot be forgotten; what the devstack and the
tests read is listed here and held to the code by tests/contract/test_docs.py.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from photochanger_chassis.settings import SettingRow, describe
from photochanger_gateway.settings import Settings as GatewaySettings
from photochanger_ingest.settings import IngestSettings
from photochanger_ingest.settings import MigrateSettings as IngestMigrateSettings
from photochanger_ingest.settings import RotateSettings as IngestRotateSettings
from photochanger_media.settings import CleanupSettings as MediaCleanupSettings
from photochanger_media.settings import MigrateSettings as MediaMigrateSettings
from photochanger_media.settings import Settings as MediaSettings
from photochanger_providers.drivers.registry import registered_drivers
from photochanger_providers.settings import MigrateSettings as ProvidersMigrateSettings
from photochanger_providers.settings import RotateSettings as ProvidersRotateSettings
from photochanger_providers.settings import Settings as ProvidersSettings
from photochanger_providers.settings import WorkerSettings as ProvidersWorkerSettings
from pydantic_settings import BaseSettings

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "settings.md"
_CHASSIS: Final = "photochanger_chassis.settings"


@dataclass(frozen=True, slots=True)
class Variable:
    """One line of a table. `default` is None when the variable is required; `read_by` names commands of the service."""

    name: str
    default: str | None
    meaning: str
    read_by: tuple[str, ...] = ()


SERVICES: Final[Mapping[str, Mapping[str, type[BaseSettings]]]] = {
    "admin-gateway": {"serve": GatewaySettings},
    "ingest": {
        "serve": IngestSettings,
        "migrate": IngestMigrateSettings,
        "rotate-keys": IngestRotateSettings,
    },
    "providers": {
        "serve": ProvidersSettings,
        "worker": ProvidersWorkerSettings,
        "migrate": ProvidersMigrateSettings,
        "rotate-keys": ProvidersRotateSettings,
    },
    "media": {"serve": MediaSettings, "migrate": MediaMigrateSettings, "cleanup": MediaCleanupSettings},
}
"""Each service's commands and what they read."""

OUTSIDE: Final = (
    Variable("DATABASE_URL_INGEST", "", "The ingest database on a PostgreSQL of yours."),
    Variable("DATABASE_URL_PROVIDERS", "", "The providers database on a PostgreSQL of yours."),
    Variable("DATABASE_URL_MEDIA", "", "The media database on a PostgreSQL of yours."),
    Variable("NATS_URL", "", "A NATS of yours, 2.12 or newer, with JetStream."),
    Variable("S3_ENDPOINT_URL", "", "An S3 server of yours; the next two are then required."),
    Variable("S3_ACCESS_KEY", "", "Its access key."),
    Variable("S3_SECRET_KEY", "", "Its secret key."),
    Variable("S3_REGION", "us-east-1", "Its region."),
    Variable("S3_BUCKET", "photochanger", "The bucket, created where it is missing."),
)
"""What `photochanger up` takes in place of its embedded servers."""

TESTS: Final = (
    Variable("MINIO_URL", "", "`make test-minio` uses this server, and does not build one."),
    Variable("MINIO_ACCESS_KEY", None, "Its access key, where `MINIO_URL` is set."),
    Variable("MINIO_SECRET_KEY", None, "Its secret key, where `MINIO_URL` is set."),
    Variable("MINIO_REGION", "us-east-1", "Its region."),
    Variable("TEST_S3_ENDPOINT_URL", "", "Tests use this S3 server in place of the embedded one."),
    Variable("TEST_S3_ACCESS_KEY", None, "Its access key, where `TEST_S3_ENDPOINT_URL` is set."),
    Variable("TEST_S3_SECRET_KEY", None, "Its secret key, where `TEST_S3_ENDPOINT_URL` is set."),
    Variable("TEST_S3_REGION", "us-east-1", "Its region."),
    Variable(
        "CRASH_AT", "", "A service ends as if killed when it reaches the place of this name (fault tests)."
    ),
)
"""What tests read."""

_HEAD: Final = """\
# Settings

Written by `make docs` from the services' settings classes; changes by hand are lost.

Every setting is an environment variable. An empty value counts as absent, lengths of time are numbers of seconds, and
a service that misses one, or cannot read one, says which and ends with exit code 78. What can be changed while the
platform runs (slots, limits, the ingest password, the time a slot waits) is no variable:
[operations.md](operations.md#settings-that-are-no-variables) says how.
"""
_DEVSTACK: Final = """\
## The stack on one machine (`photochanger up`)

It makes all settings of the services itself and writes addresses and secrets to `.local/dev.env`. The variables below
put servers of yours in the place of embedded ones. All other variables of the shell (`GEMINI_API_KEY`, `LOG_LEVEL`,
`RESULT_TTL_HOURS`, …) reach the services as they are, but for those the stack has to choose: addresses and secrets.
"""
_TESTS: Final = """\
## Tests
"""


def page() -> str:
    """Returns the whole page."""
    parts = [_HEAD]
    for service, commands in SERVICES.items():
        own, shared = variables_of(commands)
        if service == "providers":
            own = [*own, *_provider_variables()]
        tables = [_table(each, commands) for each in (own, shared)]
        parts.append(f"## {service}\n\n{tables[0]}\nWhat other services have, too:\n\n{tables[1]}")
    parts.append(f"{_DEVSTACK}\n{_table(OUTSIDE)}")
    parts.append(f"{_TESTS}\n{_table(TESTS)}")
    return "\n".join(parts)


def variables_of(commands: Mapping[str, type[BaseSettings]]) -> tuple[list[Variable], list[Variable]]:
    """Lists what a service's commands read: what is its own, and what comes from the chassis."""
    rows: dict[str, SettingRow] = {}
    readers: dict[str, list[str]] = {}
    from_chassis: set[str] = set()
    for command, settings in commands.items():
        shared = _chassis_variables(settings)
        for row in describe(settings):
            rows.setdefault(row.variable, row)
            readers.setdefault(row.variable, []).append(command)
            if row.variable in shared:
                from_chassis.add(row.variable)
    variables = [
        Variable(name, row.default, row.description, tuple(readers[name])) for name, row in rows.items()
    ]
    return (
        [variable for variable in variables if variable.name not in from_chassis],
        [variable for variable in variables if variable.name in from_chassis],
    )


def _chassis_variables(settings: type[BaseSettings]) -> set[str]:
    """Variables that some block of the chassis declares and no class of the service declares again."""
    declared: dict[str, str] = {}
    for block in settings.__mro__:
        for name in getattr(block, "__annotations__", {}):
            declared.setdefault(name, block.__module__)
    return {name.upper() for name, module in declared.items() if module == _CHASSIS}


def _provider_variables() -> list[Variable]:
    """The variables that come with each driver."""
    variables = []
    for entry in registered_drivers():
        info = entry.info
        prefix = info.id.upper().replace("-", "_")
        if info.needs_key:
            meaning = f"API key of {info.title}; one stored by `KeyService` goes before it."
            variables.append(Variable(f"{prefix}_API_KEY", "", meaning, ("serve",)))
        if info.default_base_url:
            meaning = f"Where {info.title} is."
            variables.append(Variable(f"{prefix}_BASE_URL", info.default_base_url, meaning, ("serve",)))
    return variables


def _table(variables: Sequence[Variable], commands: Iterable[str] = ()) -> str:
    """A table; who reads a variable is told where the service has several commands."""
    several = len(tuple(commands)) > 1
    titles = ["variable", "default", *["read by"] * several, "meaning"]
    lines = [_row(titles), _row(["---"] * len(titles))]
    for variable in variables:
        default = "**required**" if variable.default is None else _code(variable.default)
        readers = ", ".join(variable.read_by)
        lines.append(_row([_code(variable.name), default, *[readers] * several, variable.meaning]))
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def main(arguments: Sequence[str]) -> int:
    """Writes the page, or with `--check` tells by the exit code whether it is fresh."""
    wanted = page()
    if "--check" in arguments:
        fresh = PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted
        if not fresh:
            sys.stderr.write(f"{PAGE.relative_to(ROOT)} is not what the code says. Run: make docs\n")
        return 0 if fresh else 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
