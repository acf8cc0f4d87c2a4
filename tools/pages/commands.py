"""The reference of docs/reference/cli.md, from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

from typer.main import get_command

from interpose.cli.authorisation import AUTHORISED
from interpose.cli.main import build
from tools.pages.tables import code, table


class Parameter(Protocol):
    """The part of an option or argument that is told."""

    name: str
    opts: Sequence[str]
    required: bool
    default: Any
    param_type_name: str


class Command(Protocol):
    """The part of a command that is told. A group has `commands` as well."""

    help: str | None
    hidden: bool
    params: Sequence[Parameter]

    def make_context(self, info_name: str, args: list[str]) -> object:
        """Parse arguments as the command line does; raises when they are wrong."""
        ...


def root() -> Command:
    """The `interpose` command."""
    return cast("Command", get_command(build()))


def children(command: Command) -> Mapping[str, Command]:
    """The subcommands of a group; none of anything else."""
    return getattr(command, "commands", None) or {}


def commands(command: Command, name: str = "interpose") -> Iterator[tuple[str, Command]]:
    """Every command that does something, with its whole name, in the order of `--help`."""
    below = children(command)
    if not below and not command.hidden:
        yield name, command
    for child_name, child in below.items():
        yield from commands(child, f"{name} {child_name}")


def options(command: Command) -> list[Parameter]:
    """The options that are shown."""
    return [each for each in command.params if each.param_type_name == "option" and not getattr(each, "hidden", False)]


def _usage(name: str, command: Command) -> str:
    arguments = [each.name.upper() for each in command.params if each.param_type_name == "argument"]
    return " ".join([name, *arguments])


def _default(option: Parameter) -> str:
    if option.required:
        return "required"
    if getattr(option, "is_flag", False) or option.default in (None, ""):
        return ""
    return code(str(option.default))


def reference() -> str:
    """Every command: usage, what it does, its options."""
    parts = []
    for name, command in commands(root()):
        paragraphs = [f"### `{_usage(name, command)}`", (command.help or "").strip()]
        rights = sorted(right.value for right in AUTHORISED[name.removeprefix("interpose ")])
        paragraphs.append(f"By: {'; or '.join(rights)}.")
        rows = []
        for option in options(command):
            words = str(getattr(option, "help", "") or "")
            variable = getattr(option, "envvar", None)
            rows.append(
                (
                    ", ".join(map(code, option.opts)),
                    _default(option),
                    f"{words} (or `{variable}`)" if variable else words,
                )
            )
        if rows:
            paragraphs.append(table(("option", "default", "meaning"), rows))
        parts.append("\n\n".join(paragraphs))
    return "\n\n".join(parts)


BLOCKS = {"commands": reference}
"""The page's blocks by name."""
