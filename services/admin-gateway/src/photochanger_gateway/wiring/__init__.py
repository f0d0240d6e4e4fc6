"""Where the gateway's parts meet: what all routes share, and the routes of each audience."""
