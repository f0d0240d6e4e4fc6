"""What the end-to-end and fault tests share: a real stack, a camera that remembers, and the rules of the whole."""
