"""Interpose: a layer-7, identity-aware access gateway.

This module knows the version of the package and nothing else: importing `interpose` starts no
loop, reads no file and pulls in no floor. Start at `docs/` or at the map in `ARCHITECTURE.md`.
"""

__version__ = "0.1.0"
