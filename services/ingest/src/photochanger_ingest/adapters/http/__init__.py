"""HTTP to the outside world: clients' receivers."""
