"""PhotoChanger: photochanger_providers."""
