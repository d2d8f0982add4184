"""Environments on disk: generations, exchange, locks, inventory."""
