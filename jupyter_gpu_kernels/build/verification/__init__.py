"""What a real kernel of an environment says of itself."""
