"""Environments as texts: a module for each format, which writes it, or reads it, or both; and what joins them."""
