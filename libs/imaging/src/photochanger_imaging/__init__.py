"""PhotoChanger: photochanger_imaging."""
