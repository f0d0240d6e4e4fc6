"""A local stand-in for the Turbotext photo API."""
