"""Words of the command line that are more than a name. Only the standard library is imported."""
