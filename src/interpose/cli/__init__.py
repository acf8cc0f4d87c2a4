"""The top floor: the `interpose` command."""
