"""Benchmarks: each compares ours with something else, side by side in one run. ``python -m benchmarks [NAME …]``."""
