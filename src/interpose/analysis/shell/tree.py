"""The text as tree-sitter's grammar of bash sees it: whether it is whole, and every command in it, however deep.

INVARIANT: this second reading only ever adds effects or refuses. What is permitted as literal is what `scanner` read *and* this agrees with.
"""

from __future__ import annotations

from dataclasses import dataclass

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from interpose.analysis.shell.words import UnreadableError, Word, WordReader

_LANGUAGE = Language(tree_sitter_bash.language())

_PLAIN = frozenset(
    "program list pipeline command command_name word number raw_string string string_content concatenation redirected_statement "
    "file_redirect file_descriptor subshell compound_statement negated_command variable_assignment variable_name comment "
    "heredoc_redirect heredoc_start heredoc_body heredoc_end herestring_redirect if_statement elif_clause else_clause while_statement "
    "do_group test_command unary_expression binary_expression test_operator declaration_command unset_command extglob_pattern "
    "negation_expression parenthesized_expression variable_assignments".split()
)
"""Kinds of nodes that a text of plain commands is made of. Any other kind is an expansion or a construct: dynamic."""

_STARTS = frozenset({"test_command", "declaration_command", "unset_command"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What the grammar says. `starts` are the offsets at which a command's name stands; `plain` says that there is nothing but plain commands.

    `commands` are the words of every command, those inside of substitutions, functions and loops included.
    """

    starts: frozenset[int]
    plain: bool
    commands: tuple[tuple[Word, ...], ...]


def read(text: str) -> Reading | None:
    """The grammar's reading of a text, or None when any part of it is no shell."""
    encoded = text.encode()
    root = Parser(_LANGUAGE).parse(encoded).root_node
    if root.has_error:
        return None
    characters = None if len(encoded) == len(text) else _offsets(text)
    starts: set[int] = set()
    plain = True
    commands: list[tuple[Word, ...]] = []
    pending = [root]
    while pending:
        node = pending.pop()
        if node.is_missing:
            return None
        if node.type not in _PLAIN:
            plain = False
        if node.type == "command":
            name = node.child_by_field_name("name")
            if name is not None:
                starts.add(_place(name.start_byte, characters))
                commands.append(_words(text, node, characters))
        elif node.type in _STARTS:
            starts.add(_place(node.start_byte, characters))
        pending.extend(child for child in node.children if child.is_named or child.is_missing)
    return Reading(frozenset(starts), plain, tuple(reversed(commands)))


def _words(text: str, node: Node, characters: list[int] | None) -> tuple[Word, ...]:
    words = []
    for child in [*node.children_by_field_name("name"), *node.children_by_field_name("argument")]:
        at = _place(child.start_byte, characters)
        try:
            words.append(WordReader(text[at : _place(child.end_byte, characters)], 0).read())
        except UnreadableError:
            words.append(Word("", at, at, "quoting"))
    return tuple(words)


def _place(offset: int, characters: list[int] | None) -> int:
    return offset if characters is None else characters[offset]


def _offsets(text: str) -> list[int]:
    """The character that each byte of the UTF-8 form belongs to."""
    found = [index for index, character in enumerate(text) for _ in range(len(character.encode()))]
    return [*found, len(text)]
