"""What the gateway knows without talking to anybody: the form, the pictures, the refusals."""
