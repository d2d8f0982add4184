"""What this machine has: GPUs, driver, and the CUDA that it can run."""
