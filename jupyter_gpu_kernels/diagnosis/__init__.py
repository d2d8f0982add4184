"""The doctor: what is wrong with this machine and its kernels, in plain words, and what can be done about it here."""
