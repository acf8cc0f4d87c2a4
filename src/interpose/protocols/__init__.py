"""Floor 1.5: one folder a wire protocol, all sans-IO: bytes in, intents out. `contract` is the interface."""
