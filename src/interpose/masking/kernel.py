"""Which rows kernel is in use: the compiled one where it could be built, the pure Python reference elsewhere.

`INTERPOSE_KERNEL=python` forces the reference (for diagnosis, and for tests); `INTERPOSE_KERNEL=compiled` refuses to start
without the compiled one. The same variable tells the build (`hatch_build.py`) to leave it out, or to fail without it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from interpose.masking import row_reference
from interpose.masking.plan import MaskingPlan
from interpose.model.errors import ConfigurationError

VARIABLE: Final = "INTERPOSE_KERNEL"
"""The environment variable that forces one of them."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One implementation. `note` says why it is no other one, empty where that needs no word."""

    name: str
    by_rule: Callable[[MaskingPlan, bytes], tuple[bytes, int]]
    walk: Callable[[int, bytes], int]
    note: str = ""

    def __str__(self) -> str:
        """For people: the name, and the note behind it."""
        return f"{self.name} ({self.note})" if self.note else self.name


PYTHON: Final = Kernel("python", row_reference.by_rule, row_reference.walk)
"""The reference."""


def compiled_kernel() -> Kernel:
    """The compiled twin; raises `ImportError` where it was not built for this interpreter."""
    from interpose.masking import _rows

    return Kernel("compiled", _rows.by_rule, _rows.walk)


def choose(forced: str, load: Callable[[], Kernel] = compiled_kernel) -> Kernel:
    """The kernel to use, given the value of `INTERPOSE_KERNEL`. Raises `ConfigurationError` for a value that cannot be had."""
    if forced not in ("", "compiled", "python"):
        raise ConfigurationError(
            f"{VARIABLE} is `{forced[:40]}`, which is no kernel", hint="use `compiled` or `python`, or leave it unset"
        )
    if forced == "python":
        return Kernel("python", PYTHON.by_rule, PYTHON.walk, f"{VARIABLE} asks for it")
    try:
        return load()
    except ImportError as error:
        if forced:
            raise ConfigurationError(
                "the compiled masking kernel is not there",
                detail=str(error),
                hint=f"install a C compiler and Python's headers and install Interpose again, or unset {VARIABLE}",
            ) from error
        return Kernel("python", PYTHON.by_rule, PYTHON.walk, "the compiled kernel was not built")


KERNEL: Final = choose(os.environ.get(VARIABLE, ""))
"""The kernel of this process."""
