"""Reading a policy folder from disk: the only place of policy that touches files, at load time."""

from __future__ import annotations

from pathlib import Path

from interpose.model.errors import ConfigurationError, Problem

MAX_BYTES = 16 * 1024 * 1024
"""The largest policy file that is read."""


def read_folder(folder: Path) -> dict[str, str]:
    """All `*.cedar`, `*.yaml` and `*.yml` files below a folder, by path within it with forward slashes.

    Hidden files and folders are left out (a git checkout has them). Raises `ConfigurationError` with every file that cannot be
    read: a policy that is only half there must not be served.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            f"the policy folder `{folder}` does not exist", hint="check `policy` in the configuration"
        )
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix not in (".cedar", ".yaml", ".yml") or any(part.startswith(".") for part in inside.parts):
            continue
        try:
            if path.stat().st_size > MAX_BYTES:
                raise OSError(f"larger than {MAX_BYTES} bytes")
            files[inside.as_posix()] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(f"cannot be read: {error}", file=str(path), hint="check that it is readable UTF-8"))
    if problems:
        raise ConfigurationError("the policy folder cannot be read", problems=tuple(problems))
    return files
