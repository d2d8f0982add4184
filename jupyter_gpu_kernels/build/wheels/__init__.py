"""The PyPI installer and the pip stage: uv in a subprocess."""
