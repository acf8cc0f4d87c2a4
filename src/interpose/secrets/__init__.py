"""Upstream credentials: from the environment, from files and from the encrypted store. Implements the engine's port `Secrets`."""
