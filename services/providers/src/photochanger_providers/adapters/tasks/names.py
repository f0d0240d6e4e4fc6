"""What the engine calls things here."""

from photochanger_providers.domain.catalogue import ProviderId


def kind_of(provider_id: ProviderId) -> str:
    """Returns the name of the kind of a provider's tasks. Their queue is called like the provider."""
    return f"photo.process.{provider_id}"
