"""PhotoChanger: photochanger_chassis."""
