"""A camera emulator: posts photos as DSLR Remote Pro does, and measures what comes back."""
