"""The admins' accounts and tokens."""
