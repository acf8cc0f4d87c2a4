"""The admin surface: health, metrics and the small authenticated HTTP API that the command line uses."""
