"""JupyterLab with our extension, driven in a real browser."""
