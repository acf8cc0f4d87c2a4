"""The columns that a function of pg_catalog has in FROM, where its name and the form of its arguments tell.

A function's result may be a composite of any width (`unnest` of an array of rows); only what cannot be is listed.
"""

from __future__ import annotations

from typing import Final

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import names

_ONE_COLUMN: Final = frozenset(
    (
        "generate_series generate_subscripts json_object_keys jsonb_object_keys jsonb_path_query jsonb_path_query_tz "
        "regexp_matches regexp_split_to_table string_to_table"
    ).split()
)
"""Scalar results: the column is called as the alias, or else as the function."""

_NAMED: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("json_each", "json_each_text", "jsonb_each", "jsonb_each_text"), ("key", "value")),
    **dict.fromkeys(
        (
            "json_array_elements",
            "json_array_elements_text",
            "jsonb_array_elements",
            "jsonb_array_elements_text",
        ),
        ("value",),
    ),
}
"""Results with column names of their own (OUT parameters). One that is alone keeps its name under an alias."""

_SCALARS: Final = frozenset(
    (
        "bool bpchar bytea date float4 float8 inet int2 int4 int8 interval json jsonb name numeric oid regclass text time "
        "timestamp timestamptz timetz uuid varchar xml"
    ).split()
)
_MAKES_TEXTS: Final = frozenset(("string_to_array", "regexp_split_to_array", "regexp_match"))


def columns_of_call(call: pb.FuncCall, alias: str) -> list[str] | None:
    """The names of a call's columns, under this alias; None when they are not known."""
    schema, function = names.dotted(call.funcname)
    if schema not in (None, "pg_catalog"):
        return None
    if function in _NAMED:
        return list(_NAMED[function])
    if function in _ONE_COLUMN:
        return [alias or function]
    if function == "unnest" and call.args and all(_of_scalars(argument) for argument in call.args):
        return [alias or function] if len(call.args) == 1 else [function] * len(call.args)
    return None


def _of_scalars(node: pb.Node) -> bool:
    """Whether an array certainly has elements that are no composites."""
    kind = node.WhichOneof("node")
    if kind == "type_cast":
        return bool(node.type_cast.type_name.array_bounds) and _scalar_type(node.type_cast.type_name)
    if kind == "a_array_expr":
        elements = node.a_array_expr.elements
        return bool(elements) and _scalar(elements[0])
    return kind == "func_call" and names.dotted(node.func_call.funcname)[1] in _MAKES_TEXTS


def _scalar(node: pb.Node) -> bool:
    kind = node.WhichOneof("node")
    return kind == "a_const" or (kind == "type_cast" and _scalar_type(node.type_cast.type_name))


def _scalar_type(name: pb.TypeName) -> bool:
    schema, bare = names.dotted(name.names)
    return bare in _SCALARS and schema in (None, "pg_catalog")
