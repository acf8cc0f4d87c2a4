"""What `tools/reference.py` puts into the pages of docs/reference/: one module a page, one function a table."""
