"""Adopting environments that were made elsewhere, and giving them back as they were."""
