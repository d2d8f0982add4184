"""Looking for packages that could be added to an environment."""
