"""The conda installer: py-rattler in a builder subprocess."""
