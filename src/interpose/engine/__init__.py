"""Floor 2: the use cases — authenticate, admit, gate, release, approvals, sessions — and the ports to what is outside."""
