"""How Jupyter learns of an environment's kernel."""
