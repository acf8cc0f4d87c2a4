"""Telling approvers that something waits for them: implements the engine's port `Notifier`."""
