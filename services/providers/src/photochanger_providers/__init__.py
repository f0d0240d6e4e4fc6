"""The providers service: what outside AI services can do, and running photos through them."""
