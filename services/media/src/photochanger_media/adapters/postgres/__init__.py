"""The index of what is in the bucket."""
