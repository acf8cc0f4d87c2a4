"""Durations and sizes as people write them, in configuration files and on the command line."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)?")
_SIZE_UNITS = {None: 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def parse_duration(text: str) -> float | None:
    """Seconds, or None when it is no duration. A bare number is refused: it would not say its unit."""
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _DURATION_UNITS[match[2]] if match else None


def parse_size(text: str) -> int | None:
    """Bytes, or None when it is no size."""
    match = _SIZE.fullmatch(text.strip())
    return int(match[1]) * _SIZE_UNITS[match[2]] if match else None
