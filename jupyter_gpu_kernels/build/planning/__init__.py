"""What would be built, and why: the catalogue, the rules, the planner."""
