"""What is looked at on the machine itself: driver, devices, variables, GPUs."""
