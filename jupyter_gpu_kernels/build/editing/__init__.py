"""Changing which packages an environment has: as a new build of it, in which nothing else moves."""
