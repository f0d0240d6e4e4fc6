"""PhotoChanger: photochanger_ingest."""
