"""What is looked at in each environment."""
