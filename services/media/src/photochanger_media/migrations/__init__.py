"""The database's schema, one revision a module. Applied by `photochanger_media migrate`."""
