"""What a notebook carries of its kernel: taken from an environment, read from a stranger, planned for this machine."""
