"""Floor 1: what a command would do, said as effects and lineage; pure, bounded, and never by guessing."""
