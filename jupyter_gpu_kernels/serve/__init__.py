"""Offering it all: manager, jobs, events, handlers, the server extension."""
