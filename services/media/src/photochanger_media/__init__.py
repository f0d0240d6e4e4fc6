"""PhotoChanger: photochanger_media."""
