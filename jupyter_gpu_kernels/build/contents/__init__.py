"""What is in an environment now, read from its disk: nothing is started and nothing asked of the network."""
