"""The audit chain and the recordings in local files: writing, sealing, recovery after a crash, reading, retention."""
