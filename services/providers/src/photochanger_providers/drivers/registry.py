"""Which drivers there are. A new provider is its file and one line here."""

from photochanger_providers.drivers import gemini, local, turbotext
from photochanger_providers.drivers.entry import DriverEntry


def registered_drivers() -> tuple[DriverEntry, ...]:
    """Returns the registration of every driver, by id."""
    entries = (gemini.DRIVER, local.DRIVER, turbotext.DRIVER)
    return tuple(sorted(entries, key=lambda entry: entry.info.id))
