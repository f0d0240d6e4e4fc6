"""The API for programs: `/api/v1`, by API key."""
