"""The rows kernels that tests compare: the reference, and the compiled twin where it was built."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

import pytest

from interpose.masking.kernel import PYTHON, VARIABLE, Kernel, compiled_kernel


def built() -> Kernel | None:
    """The compiled kernel, None where it was not built."""
    try:
        return compiled_kernel()
    except ImportError:
        return None


def can_be_built() -> bool:
    """Whether the compiled kernel has to be there: a C compiler and Python's headers are, and nobody asked for its absence."""
    headers = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return bool(shutil.which("cc")) and headers.is_file() and os.environ.get(VARIABLE) != "python"


COMPILED = built()
without_it = pytest.mark.skipif(COMPILED is None, reason="the compiled kernel was not built")
KERNELS = [
    pytest.param(PYTHON, id="python"),
    pytest.param(COMPILED, id="compiled", marks=without_it),
]
"""Parameters for a test that either kernel must pass."""
