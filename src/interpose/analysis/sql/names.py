"""Names as the grammar gives them: lists of strings, functions' and objects' qualified names, names inside literals.

Identifiers come folded and truncated from the parser; names in text literals (`nextval('A.b')`) are folded here.
"""

from __future__ import annotations

from collections.abc import Iterable

from postgast import pg_query_pb2 as pb

_MAX_BYTES = 63


def strings(nodes: Iterable[pb.Node]) -> list[str]:
    """The texts of a list of String nodes; a `*` is kept as `*`, anything else is left out."""
    found: list[str] = []
    for node in nodes:
        kind = node.WhichOneof("node")
        if kind == "string":
            found.append(node.string.sval)
        elif kind == "a_star":
            found.append("*")
    return found


def qualified(parts: list[str]) -> tuple[str | None, str]:
    """(schema or None, name) of a dotted name; a leading database name is dropped (the server refuses a foreign one)."""
    if len(parts) >= 2:
        return parts[-2], parts[-1]
    return None, parts[0] if parts else ""


def dotted(nodes: Iterable[pb.Node]) -> tuple[str | None, str]:
    """(schema or None, name) of a list of String nodes."""
    return qualified(strings(nodes))


def truncate(name: str) -> str:
    """A name cut to 63 bytes of UTF-8, as the server does it (PostgreSQL 17 §4.1.1)."""
    if len(name) * 4 <= _MAX_BYTES:
        return name
    data = name.encode("utf-8", "surrogatepass")
    return name if len(data) <= _MAX_BYTES else data[:_MAX_BYTES].decode("utf-8", "ignore")


def fold(name: str) -> str:
    """An unquoted identifier in lower case: ASCII letters only, as a UTF-8 server does it."""
    return "".join(chr(ord(char) + 32) if "A" <= char <= "Z" else char for char in name)


def from_literal(text: str) -> tuple[str | None, str] | None:
    """The qualified name inside a text such as `'Shop."Orders"'`; None when it is not one."""
    parts: list[str] = []
    rest = text.strip(" \t\r\n\f\v")
    while True:
        if rest.startswith('"'):
            end = 1
            while True:
                end = rest.find('"', end)
                if end < 0:
                    return None
                if rest[end + 1 : end + 2] != '"':
                    break
                end += 2
            part, rest = rest[1:end].replace('""', '"'), rest[end + 1 :]
        else:
            end = 0
            while end < len(rest) and (rest[end].isalnum() or rest[end] in "_$" or not rest[end].isascii()):
                end += 1
            part, rest = fold(rest[:end]), rest[end:]
        if not part:
            return None
        parts.append(truncate(part))
        rest = rest.lstrip(" \t\r\n\f\v")
        if not rest:
            return qualified(parts) if len(parts) <= 3 else None
        if not rest.startswith("."):
            return None
        rest = rest[1:].lstrip(" \t\r\n\f\v")


def constant_text(node: pb.Node) -> str | None:
    """The text of a string constant, casts taken off; None for anything else."""
    while node.WhichOneof("node") == "type_cast":
        node = node.type_cast.arg
    if node.WhichOneof("node") == "a_const" and node.a_const.WhichOneof("val") == "sval":
        return str(node.a_const.sval.sval)
    return None


def setting_value(node: pb.Node) -> str:
    """The value of one SET argument or option as text, whatever kind of constant it is."""
    while node.WhichOneof("node") == "type_cast":
        node = node.type_cast.arg
    kind = node.WhichOneof("node")
    if kind == "a_const":
        constant = node.a_const
        kind = constant.WhichOneof("val")
        if kind == "ival":
            return str(constant.ival.ival)
        if kind == "boolval":
            return "true" if constant.boolval.boolval else "false"
        return str(constant.sval.sval or constant.fval.fval or constant.bsval.bsval)
    if kind == "integer":
        return str(node.integer.ival)
    if kind == "boolean":
        return "true" if node.boolean.boolval else "false"
    return str(node.string.sval or node.float.fval)


def output_name(target: pb.ResTarget) -> str:
    """The name of an output column (PostgreSQL's FigureColname)."""
    if target.name:
        return str(target.name)
    return _figure(target.val)[0] or "?column?"


_FIXED_NAMES = {
    "coalesce_expr": "coalesce",
    "a_array_expr": "array",
    "row_expr": "row",
    "grouping_func": "grouping",
    "merge_support_func": "merge_action",
    "xml_serialize": "xmlserialize",
    "json_parse_expr": "json",
    "json_scalar_expr": "json_scalar",
    "json_serialize_expr": "json_serialize",
    "json_object_constructor": "json_object",
    "json_array_constructor": "json_array",
    "json_array_query_constructor": "json_array",
    "json_object_agg": "json_objectagg",
    "json_array_agg": "json_arrayagg",
}


def _figure(node: pb.Node) -> tuple[str, int]:
    """A name and how strong it is: 2 from the expression itself, 1 from a type, 0 for none."""
    kind = node.WhichOneof("node") or ""
    if kind == "column_ref":
        names = [name for name in strings(node.column_ref.fields) if name != "*"]
        return (names[-1], 2) if names else ("", 0)
    if kind == "a_indirection":
        names = [name for name in strings(node.a_indirection.indirection) if name != "*"]
        return (names[-1], 2) if names else _figure(node.a_indirection.arg)
    if kind == "func_call":
        return dotted(node.func_call.funcname)[1], 2
    if kind == "type_cast":
        name, strength = _figure(node.type_cast.arg)
        if strength <= 1 and node.type_cast.type_name.names:
            return dotted(node.type_cast.type_name.names)[1], 1
        return name, strength
    if kind == "collate_clause":
        return _figure(node.collate_clause.arg)
    if kind == "a_expr" and node.a_expr.kind == pb.AEXPR_NULLIF:
        return "nullif", 2
    if kind == "min_max_expr":
        return ("greatest" if node.min_max_expr.op == pb.IS_GREATEST else "least"), 2
    if kind == "sqlvalue_function":
        return pb.SQLValueFunctionOp.Name(node.sqlvalue_function.op).removeprefix("SVFOP_").lower().removesuffix(
            "_n"
        ), 2
    if kind == "case_expr":
        name, strength = _figure(node.case_expr.defresult)
        return (name, strength) if strength > 1 else ("case", 1)
    if kind == "sub_link":
        return _figure_sublink(node.sub_link)
    if kind == "xml_expr" and node.xml_expr.op != pb.IS_DOCUMENT:
        return pb.XmlExprOp.Name(node.xml_expr.op).replace("IS_", "").lower(), 2
    if kind == "json_func_expr":
        return pb.JsonExprOp.Name(node.json_func_expr.op).removesuffix("_OP").lower(), 2
    return (_FIXED_NAMES[kind], 2) if kind in _FIXED_NAMES else ("", 0)


def _figure_sublink(link: pb.SubLink) -> tuple[str, int]:
    if link.sub_link_type == pb.EXISTS_SUBLINK:
        return "exists", 2
    if link.sub_link_type == pb.ARRAY_SUBLINK:
        return "array", 2
    if link.sub_link_type == pb.EXPR_SUBLINK:
        select = link.subselect.select_stmt
        while select.HasField("larg"):
            select = select.larg
        if select.values_lists:
            return "column1", 2
        if select.target_list:
            return output_name(select.target_list[0].res_target), 2
    return "", 0
