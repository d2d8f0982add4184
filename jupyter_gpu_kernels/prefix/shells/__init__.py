"""The text of a hook in each shell."""
