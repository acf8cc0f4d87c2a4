"""The choice of the rows kernel."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from interpose.masking.kernel import PYTHON, VARIABLE, Kernel, choose, compiled_kernel
from interpose.model.errors import ConfigurationError
from tests.support.kernels import can_be_built

ROOT = Path(__file__).parents[3]


def missing() -> Kernel:
    raise ImportError("No module named 'interpose.masking._rows'")


def test_the_compiled_kernel_is_there_where_it_can_be_built() -> None:
    if not can_be_built():
        pytest.skip("no C compiler, or no headers of Python")
    assert compiled_kernel().name == "compiled"


def test_the_compiled_kernel_is_taken_when_it_is_there() -> None:
    there = Kernel("compiled", PYTHON.by_rule, PYTHON.walk)
    assert choose("", lambda: there) is there
    assert choose("compiled", lambda: there) is there
    assert str(there) == "compiled"


def test_pure_python_stands_in_and_says_why() -> None:
    assert str(choose("", missing)) == "python (the compiled kernel was not built)"
    forced = choose("python", compiled_kernel)
    assert forced.by_rule is PYTHON.by_rule
    assert str(forced) == "python (INTERPOSE_KERNEL asks for it)"


@pytest.mark.parametrize("forced", ["compiled", "Python", "c"])
def test_what_cannot_be_had_is_refused(forced: str) -> None:
    with pytest.raises(ConfigurationError, match="kernel"):
        choose(forced, missing)


@pytest.mark.parametrize(("forced", "status"), [("python", 0), ("nonsense", 1)])
def test_the_variable_is_read(forced: str, status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "interpose", "version"],
        env={**os.environ, VARIABLE: forced},
        capture_output=True,
        text=True,
    )
    assert done.returncode == status
    assert (f"{VARIABLE} asks for it" if status == 0 else "is no kernel") in done.stdout + done.stderr


def built_wheel(folder: Path, **environment: str) -> list[str]:
    """The names in a wheel of this project that is built with these variables."""
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (folder / "dist").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        return [wheel.name, *archive.namelist()]


def test_without_a_compiler_there_is_a_wheel_of_pure_python(tmp_path: Path) -> None:
    name, *files = built_wheel(tmp_path, CC="false", INTERPOSE_KERNEL="")
    assert name.endswith("-py3-none-any.whl")
    assert "interpose/masking/row_reference.py" in files
    assert not [file for file in files if file.endswith((".so", ".c"))]


def test_with_a_compiler_the_wheel_has_the_kernel(tmp_path: Path) -> None:
    if not can_be_built():
        pytest.skip("no C compiler, or no headers of Python")
    name, *files = built_wheel(tmp_path, INTERPOSE_KERNEL="compiled")
    assert not name.endswith("-py3-none-any.whl")
    assert len([file for file in files if file.startswith("interpose/masking/_rows.") and file.endswith(".so")]) == 1
