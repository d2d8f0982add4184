"""What is looked at on the way to packages: channels, indexes, proxies, and what is configured of them."""
