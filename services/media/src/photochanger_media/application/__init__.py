"""The use cases of media, and the ports they need."""
