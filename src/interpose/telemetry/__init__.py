"""Floor 4: what an operator sees of a running gateway: log lines, metrics, and a watch over the event loop."""
