"""Where packages come from on this machine: who says so, how good it is, and mirrors to switch to."""
