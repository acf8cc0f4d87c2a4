"""What tests, demo and benchmarks share: real servers to start. Nothing here imports pytest."""
