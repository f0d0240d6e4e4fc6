"""HTTP: routes, forms, answers."""
