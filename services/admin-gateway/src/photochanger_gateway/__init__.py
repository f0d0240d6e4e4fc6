"""PhotoChanger: photochanger_gateway."""
