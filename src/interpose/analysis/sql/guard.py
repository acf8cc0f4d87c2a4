"""Limits that a text must keep before the parser sees it.

The parser is C code in this process: 50,000 terms of `a+a+…` overflow its stack, and nested comments without a
space between them cost quadratic time. Right-nested constructs are bounded by the parser's own stack (10,000), left-nested
chains are not, so they are counted here over the lexer's tokens. The bounds are on the safe side: what is refused may be harmless.

Measured with postgast 0.2.0 on a stack of 8 MiB (what Linux gives threads, too): 20,000 links parse, 50,000 crash; 4,000
take 20 ms. A thread with less than 4 MiB must not run the parser: 6,000 links crash it at 2 MiB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import postgast
from postgast import pg_query_pb2 as pb

from interpose.model.analysis import Unanalysable

_UNSCANNED_BYTES: Final = 4096
"""Shorter texts cannot hold enough links to hurt the parser (one byte makes at most one), so nothing is counted."""

_OPERATOR_RUN: Final = re.compile(r"[~!@#^&|`?+\-*/%<>=]{64,}")
_COMMENT_WORK: Final = 2_000_000

_T: Final = pb.Token
_OPENING: Final = frozenset({_T.ASCII_40, _T.ASCII_91, _T.CASE})
_CLOSING: Final = frozenset({_T.ASCII_41, _T.ASCII_93, _T.END_P})
_SEPARATORS: Final = frozenset({_T.ASCII_44, _T.AND, _T.OR, _T.WHEN, _T.THEN, _T.ELSE})
_OPERANDS: Final = frozenset(
    {_T.IDENT, _T.UIDENT, _T.FCONST, _T.SCONST, _T.USCONST, _T.BCONST, _T.XCONST, _T.ICONST, _T.PARAM, _T.ASCII_46}
    | {_T.SQL_COMMENT, _T.C_COMMENT, _T.NULL_P, _T.TRUE_P, _T.FALSE_P},
)
_OUTER_LINKS: Final = frozenset({_T.JOIN, _T.UNION, _T.INTERSECT, _T.EXCEPT, _T.BETWEEN})


@dataclass(frozen=True, slots=True)
class Limits:
    """What a text may be. `max_bytes` is its length in UTF-8; `max_links` bounds the depth of its tree;
    `max_nesting` bounds how deep this package's own walk goes into sub-selects and expressions; `max_statements` bounds
    how long one text keeps the gateway from everybody else's."""

    max_bytes: int = 1_048_576
    max_links: int = 3_000
    max_nesting: int = 180
    max_statements: int = 5_000


def check(text: str, limits: Limits) -> Unanalysable | None:
    """Why this text must not reach the parser, or None; linear in its length."""
    if "\0" in text:
        return Unanalysable("nul_byte", "a command must not contain a NUL character", position=text.index("\0") + 1)
    size = len(text)
    if not text.isascii():
        try:
            size = len(text.encode("utf-8"))
        except UnicodeEncodeError as error:
            return Unanalysable("invalid_text", "the command is not valid UTF-8", position=error.start + 1)
    if size > limits.max_bytes:
        return Unanalysable(
            "too_long",
            f"the command is longer than {limits.max_bytes} bytes",
            hint="send less in one command, or load the data with COPY … FROM STDIN",
        )
    if size <= _UNSCANNED_BYTES:
        return None
    if _comment_work(text) > _COMMENT_WORK:
        return Unanalysable("too_deep", "the command nests too many comments", hint="remove the nested comments")
    return _check_links(text, limits.max_links)


def _comment_work(text: str) -> int:
    """Steps that the lexer needs for comment openings: it reads a run of operator characters again at each."""
    if text.count("/*") < 64:
        return 0
    return sum(run.group().count("/*") * len(run.group()) for run in _OPERATOR_RUN.finditer(text))


def _check_links(text: str, max_links: int) -> Unanalysable | None:
    """Refuse chains that nest the tree too deep. What the lexer itself refuses is left to the parser to say."""
    try:
        tokens = postgast.scan(text).tokens
    except postgast.PgQueryError:
        return None
    except ValueError:
        return Unanalysable("parser_crashed", "the command could not be read")
    if deepest_chain(tokens, max_links) > max_links:
        return Unanalysable(
            "too_deep",
            "the command nests expressions or joins too deep",
            hint="split it into several commands, or use a list, an array or VALUES instead of a chain",
        )
    return None


def deepest_chain(tokens: Iterable[pb.ScanToken], stop_at: int) -> int:
    """An upper bound of how deep the tree of these tokens is, but for right-nesting; stops counting above `stop_at`.

    A frame is what stands between two brackets (or CASE and END). In it every token that is no operand is a link, until a
    separator ends the chain. Joins and set operations reach across separators, so they are counted apart; so is BETWEEN,
    whose own AND separates nothing. A closed frame's height is carried into the chain that it is an operand of.
    """
    frames: list[tuple[int, int, int]] = []
    inner = outer = peak = below = deepest = 0
    for item in tokens:
        token = item.token
        if token in _OPERANDS:
            continue
        if token in _SEPARATORS:
            inner = 0
            continue
        if token in _OPENING:
            frames.append((inner, outer, peak))
            below += inner + outer + 1
            inner = outer = peak = 0
            continue
        if token in _CLOSING:
            height = peak + 1
            if frames:
                inner, outer, peak = frames.pop()
                below -= inner + outer + 1
            inner += height
        elif token in _OUTER_LINKS:
            outer += inner + 1 if token == _T.BETWEEN else 1
            inner = 0
        elif token == _T.ASCII_59 and not frames:
            inner = outer = peak = 0
            continue
        else:
            inner += 1
        if inner + outer > peak:
            peak = inner + outer
            if below + peak > deepest:
                deepest = below + peak
                if deepest > stop_at:
                    break
    return deepest
