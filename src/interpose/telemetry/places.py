"""Where in the code an error arose, in words that hold none of its data."""

from __future__ import annotations

import traceback
from pathlib import PurePath


def place_of(error: BaseException) -> str:
    """The kind of an error and the innermost six frames, outermost first, without its message: that may quote data."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = " > ".join(f"{PurePath(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames)
    cause = error.__cause__ or error.__context__
    behind = f" (from {type(cause).__name__})" if cause is not None else ""
    return f"{type(error).__name__} at {where or 'an unknown place'}{behind}"
