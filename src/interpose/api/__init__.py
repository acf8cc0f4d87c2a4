"""The admin surface: health, metrics and the small authenticated HTTP API that the command line uses.

Knows HTTP and who may do what by policy's gateway actions; what it serves comes from the engine and through the ports in `ports`.
"""
