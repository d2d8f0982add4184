"""The CPU-vs-GPU notebook and its headless run."""
