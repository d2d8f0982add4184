"""The REST interface: authenticate, authorize, parse, call, answer."""
