"""What the GPUs are doing, and for whom: one watch for all who look."""
