"""Where state is kept: each folder here implements ports of the engine on one kind of storage."""
