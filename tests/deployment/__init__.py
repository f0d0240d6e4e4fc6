"""What the tests of deploy/ are made of: a renderer of our kustomizations, rules for what comes out, images."""
