"""Builds the compiled rows kernel while Interpose is being installed, where that can be done.

Needs Cython (which the build installs), a C compiler and Python's headers. Without the last two the install goes on, and
the gateway uses the pure Python kernel. `INTERPOSE_KERNEL=python` leaves the kernel out, `INTERPOSE_KERNEL=compiled` makes a
build fail that cannot have it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "src/interpose/masking/_rows.pyx"
MODULE = "interpose.masking._rows"


def compiled(root: Path, folder: Path) -> Path:
    """Build the kernel in `folder`, and answer the extension module's file. Raises whatever goes wrong."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    # Out of the source tree, so that nothing but the finished module ever gets in there.
    source = folder / "_rows.pyx"
    shutil.copy(root / SOURCE, source)
    extensions = cythonize([Extension(MODULE, [str(source)])], build_dir=str(folder / "c"), quiet=True)
    command = Distribution({"name": "interpose", "ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib = str(folder / "lib")
    command.build_temp = str(folder / "temp")
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath(MODULE))


class KernelHook(BuildHookInterface):
    """Adds the kernel to a wheel; for an editable install it puts it beside its source."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Called by hatchling before it builds; `version` is `editable` or `standard`."""
        if self.target_name != "wheel":
            return
        module = self._built()
        if version == "editable":
            self._put_in_place(module)
        elif module is not None:
            build_data["force_include"] = {str(module): f"interpose/masking/{module.name}"}
            build_data["pure_python"] = False
            build_data["infer_tag"] = True

    def _built(self) -> Path | None:
        """The kernel, None where there is to be none or there can be none."""
        wanted = os.environ.get("INTERPOSE_KERNEL", "")
        if wanted == "python":
            return None
        self._folder = tempfile.TemporaryDirectory(prefix="interpose-build-")
        try:
            return compiled(Path(self.root), Path(self._folder.name))
        except (Exception, SystemExit) as error:  # whatever a compiler or its absence may do to setuptools
            if wanted == "compiled":
                raise
            self.app.display_warning(f"the masking kernel is not compiled, pure Python will be used: {error}")
            return None

    def _put_in_place(self, module: Path | None) -> None:
        """The module beside its source, in one step, and nothing of an older source left there."""
        beside = (Path(self.root) / SOURCE).parent
        keep = None
        if module is not None:
            keep = beside / module.name
            shutil.copy(module, keep.with_suffix(".new"))
            keep.with_suffix(".new").replace(keep)
        for old in beside.glob("_rows.*.so"):
            if old != keep:
                old.unlink()

    def finalize(self, version: str, build_data: dict[str, object], artifact_path: str) -> None:
        """Called by hatchling when it has built: nothing of the build stays."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()
