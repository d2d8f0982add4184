"""Starting a kernel in an environment."""
