"""PhotoChanger: photochanger_devstack."""
