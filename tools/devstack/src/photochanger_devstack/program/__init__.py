"""A program that uses `/api/v1`: hands in many photos, follows their jobs, fetches the pictures."""
