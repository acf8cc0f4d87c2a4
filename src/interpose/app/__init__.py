"""Floor 5: the one place that reads configuration, wires everything and runs the workers."""
