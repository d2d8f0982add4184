"""Running a tool so that it never outlives us, hangs in silence or blocks the event loop."""
