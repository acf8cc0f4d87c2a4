"""From text to tree: the one place that calls PostgreSQL's own grammar (libpg_query, PostgreSQL 18, through postgast).

What only an older server accepts is a syntax error here; what only a newer one accepts is refused by the server itself.
"""

from __future__ import annotations

import importlib
from typing import Final

import postgast
from google.protobuf.message import DecodeError
from postgast import pg_query_pb2 as pb

from interpose.model.actions import Action
from interpose.model.analysis import Effect, Unanalysable
from interpose.model.resources import ConnectionResource

_UNKNOWN: Final = (Effect(Action.UNKNOWN, ConnectionResource()),)
_NESTING_HINT: Final = "split it into several commands, or nest fewer sub-selects"


def _lift_decoding_depth() -> None:
    """Let protobuf decode trees deeper than 100 messages (20 nested sub-selects); `guard` bounds the depth.

    The switch belongs to protobuf's C implementation and has no public name. Without it such trees are refused as too deep.
    """
    try:
        lift = importlib.import_module("google._upb._message").SetAllowOversizeProtos
    except (ImportError, AttributeError):
        return
    lift(True)


_lift_decoding_depth()


def parse(text: str) -> pb.ParseResult | Unanalysable:
    """The tree of a text that `guard.check` let through, or why there is none."""
    try:
        return postgast.parse(text)
    except postgast.PgQueryError as error:
        return _refusal(text, error)
    except UnicodeDecodeError:
        return Unanalysable("syntax_error", "syntax error", effects=_UNKNOWN)
    except DecodeError:
        return Unanalysable("too_deep", "the command is nested too deep", hint=_NESTING_HINT)


def normalize(text: str) -> str | None:
    """The text with its constants as `$n`, or None when it has no tree."""
    try:
        return str(postgast.normalize(text))
    except (postgast.PgQueryError, UnicodeDecodeError):
        return None


def fingerprint(text: str) -> str:
    """A short digest of the tree without its constants; empty when there is none."""
    try:
        return str(postgast.fingerprint(text).hex)
    except (postgast.PgQueryError, UnicodeDecodeError):
        return ""


def _refusal(text: str, error: postgast.PgQueryError) -> Unanalysable:
    """PostgreSQL's own message and position (libpg_query counts characters from 1, as the protocol's `P` field does)."""
    if error.message.startswith("memory exhausted"):
        return Unanalysable("too_deep", "the command is nested too deep", hint=_NESTING_HINT)
    position = min(error.cursorpos, len(text) + 1) if error.cursorpos > 0 else None
    return Unanalysable("syntax_error", error.message, position=position, effects=_UNKNOWN)
