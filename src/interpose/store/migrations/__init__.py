"""The history of the state store's tables, one file a version."""
