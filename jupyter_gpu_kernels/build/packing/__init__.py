"""Packs: environments with all their packages in one file, for machines without a network."""
