"""Use cases of the providers service, with the ports they need beside them."""
