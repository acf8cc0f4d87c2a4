"""Adding columns to the text of `classifications.yaml` without touching what is there: comments, order and spelling stay.

Text in, text out. What comes out is read again, and must say everything that it said before and what was added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from interpose.model.connection import Connection
from interpose.model.errors import ConfigurationError, Problem
from interpose.model.ids import DataClassName
from interpose.model.resources import ColumnResource
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.classifications import Classifications, parse_column, read_classifications, spell_column

_HINT = "write the file in block style (a line for each entry), or add the columns by hand: `--json` lists them"


@dataclass(frozen=True, slots=True)
class AddedColumn:
    """One column to add, with its data classes and the comments that go above it."""

    column: ColumnResource
    classes: tuple[DataClassName, ...]
    comments: tuple[str, ...] = ()


def add_columns(
    text: str,
    file: str,
    connection: Connection,
    columns: Sequence[AddedColumn],
    declare: Mapping[DataClassName, str],
    masks: MaskVocabulary,
    detector_classes: frozenset[DataClassName],
) -> str:
    """The text with these columns added for this connection, and classes declared that are not (`declare` has their descriptions).

    Raises `ConfigurationError` when the file is written so that lines cannot be added.
    """
    before = _read(text, file, masks, detector_classes)
    known = before.classes | detector_classes
    missing = sorted({name for each in columns for name in each.classes if name not in known})
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []
    root = _compose(text, file)
    edits = [_columns_edit(root, len(lines), connection, columns, file)]
    if missing:
        edits.append(_classes_edit(root, {name: declare.get(name, "") for name in missing}, file))
    for at, replaced, added in sorted(edits, key=lambda edit: edit[0], reverse=True):
        lines[at : at + replaced] = added
    result = "".join(line + newline for line in lines)
    after = _read(result, file, masks, detector_classes)
    # INVARIANT: nothing is lost, and everything that was to be added is there.
    was, now = before.for_connection(connection), after.for_connection(connection)
    wanted = dict(was)
    for each in columns:
        wanted[each.column] = wanted.get(each.column, frozenset()) | frozenset(each.classes)
    if now != wanted:
        raise ConfigurationError(f"the columns cannot be added to `{file}`", hint=_HINT)
    return result


Edit = tuple[int, int, list[str]]
"""The 0-based line, how many lines are replaced there, and the new ones."""


def _columns_edit(
    root: MappingNode | None, end: int, connection: Connection, columns: Sequence[AddedColumn], file: str
) -> Edit:
    key, groups = _entry(root, "classifications")
    if key is None:
        return end, 0, ["", "classifications:", *_group(connection, columns, "  ")]
    if isinstance(groups, ScalarNode) and not groups.value:
        return key.start_mark.line + 1, 0, _group(connection, columns, "  ")
    if not isinstance(groups, SequenceNode):
        raise ConfigurationError(f"`classifications` in `{file}` is no list", hint=_HINT)
    if groups.flow_style:
        if groups.value or groups.start_mark.line != key.start_mark.line:
            raise ConfigurationError(f"`classifications` in `{file}` is written in one line", hint=_HINT)
        return key.start_mark.line, 1, ["classifications:", *_group(connection, columns, "  ")]
    for group in groups.value:
        own = _own_columns(group, connection, columns)
        if own is not None:
            indent = " " * own.value[0][0].start_mark.column
            return _behind(own), 0, _entries(columns, indent)
    return _behind(groups), 0, _group(connection, columns, " " * _dash(groups))


def _own_columns(group: Node, connection: Connection, columns: Sequence[AddedColumn]) -> MappingNode | None:
    """The `columns` of an entry for exactly this connection, when lines can be added there."""
    if not isinstance(group, MappingNode) or group.flow_style:
        return None
    _, names = _entry(group, "connections")
    labels, _ = _entry(group, "labels")
    _, own = _entry(group, "columns")
    if labels is not None or not isinstance(own, MappingNode) or own.flow_style or not own.value:
        return None
    patterns = (
        [each.value for each in names.value] if isinstance(names, SequenceNode) else [getattr(names, "value", None)]
    )
    taken = {parse_column(str(name.value)) for name, _ in own.value}
    if patterns != [connection.name] or any(each.column in taken for each in columns):
        return None
    return own


def _classes_edit(root: MappingNode | None, declared: Mapping[DataClassName, str], file: str) -> Edit:
    key, classes = _entry(root, "data_classes")
    if key is None:
        first = 0 if root is None or not root.value else root.value[0][0].start_mark.line
        return first, 0, ["data_classes:", *_declarations(declared, "  "), ""]
    if isinstance(classes, ScalarNode) and not classes.value:
        return key.start_mark.line + 1, 0, _declarations(declared, "  ")
    if not isinstance(classes, MappingNode) or classes.flow_style:
        raise ConfigurationError(f"`data_classes` in `{file}` is written in one line", hint=_HINT)
    return _behind(classes), 0, _declarations(declared, " " * classes.value[0][0].start_mark.column)


def _declarations(declared: Mapping[DataClassName, str], indent: str) -> list[str]:
    return [
        f"{indent}{name}: {{description: {_quoted(words)}}}" if words else f"{indent}{name}: {{}}"
        for name, words in declared.items()
    ]


def _group(connection: Connection, columns: Sequence[AddedColumn], indent: str) -> list[str]:
    return [
        f"{indent}- connections: [{_quoted(connection.name)}]",
        f"{indent}  columns:",
        *_entries(columns, indent + "    "),
    ]


def _entries(columns: Sequence[AddedColumn], indent: str) -> list[str]:
    lines: list[str] = []
    for each in columns:
        lines += [f"{indent}# {_one_line(comment)}" for comment in each.comments]
        lines.append(f"{indent}{_quoted(spell_column(each.column))}: [{', '.join(each.classes)}]")
    return lines


def _quoted(text: str) -> str:
    """A text as a YAML scalar in one line, plain where that is safe."""
    if (
        text
        and all(c.isalnum() or c in "_.-" for c in text)
        and text.isascii()
        and not text[0].isdigit()
        and text[0] not in "-."
    ):
        return (
            text if text.lower() not in ("true", "false", "yes", "no", "on", "off", "null", "y", "n") else f'"{text}"'
        )
    if (
        text.isprintable()
        and text.isascii()
        and all(c.isalnum() or c in " _.-/()" for c in text)
        and text == text.strip()
    ):
        return text if text[:1].isalpha() else f'"{text}"'
    out = StringIO()
    yaml = YAML()
    yaml.width = 1 << 30
    yaml.default_style = '"'  # type: ignore[assignment]
    yaml.dump(text, out)
    return out.getvalue().splitlines()[0]


def _one_line(comment: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in comment)


def _entry(node: Node | None, key: str) -> tuple[Node | None, Node | None]:
    for name, value in node.value if isinstance(node, MappingNode) else ():
        if isinstance(name, ScalarNode) and name.value == key:
            return name, value
    return None, None


def _behind(node: Node) -> int:
    """The 0-based line behind the last line that a node's own text takes; comments behind it are not its own."""
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _behind(last[1] if isinstance(last, tuple) else last)
    mark = node.end_mark
    return int(mark.line) + (1 if mark.column else 0)


def _dash(groups: SequenceNode) -> int:
    """The column of the dashes of a block sequence."""
    return int(groups.start_mark.column)


def _compose(text: str, file: str) -> MappingNode | None:
    try:
        root = YAML(typ="rt").compose(text)
    except YAMLError as error:
        raise ConfigurationError(f"`{file}` is not valid YAML", hint="run `interpose policy check`") from error
    if root is None or (isinstance(root, ScalarNode) and not root.value):
        return None
    if not isinstance(root, MappingNode) or root.flow_style:
        raise ConfigurationError(f"`{file}` is not written in block style", hint=_HINT)
    return root


def _read(text: str, file: str, masks: MaskVocabulary, detector_classes: frozenset[DataClassName]) -> Classifications:
    problems: list[Problem] = []
    read = read_classifications(text, file, masks, detector_classes, None, problems)
    if problems:
        raise ConfigurationError(
            f"`{file}` has problems", problems=tuple(problems), hint="run `interpose policy check`"
        )
    return read
