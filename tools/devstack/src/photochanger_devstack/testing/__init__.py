"""What the pytest plugin is made of: servers shared by one run, and the keeper that ends them."""
