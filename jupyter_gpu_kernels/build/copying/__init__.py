"""Environments made of other environments: clones, and the same under another name."""
