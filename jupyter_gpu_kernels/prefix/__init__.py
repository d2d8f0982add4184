"""What an environment is: layout, CUDA libraries, variables of its processes, manifest. Standard library only."""
