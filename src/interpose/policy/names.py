"""Entity ids: how a resource is named in policy, injectively, and how a literal id in a policy is checked.

| entity | id | parts after the first `/` |
|---|---|---|
| `Connection` | `orders-prod` | |
| `Schema`, `Database`, `Setting`, `Role` | `orders-prod/public` | one, as it is |
| `Table`, `Function` | `orders-prod/public.customers` | two, split at `.` |
| `Column` | `orders-prod/public.customers.email` | three, split at `.` |
| `DbObject` | `orders-prod/trigger:public.audit` | kind, `:`, then two split at `.` |
| `Host` | `web-1` | |
| `Program` | `web-1/rm`, `web-1//opt/tool/run` | the word that runs it, as it is |
| `Path` | `web-1//etc/passwd` | the canonical path, as it is |
| `Destination` | `web-1/db:5432`, `web-1//run/docker.sock` | host and port, or a socket's path |
| `Label` | `env=prod` | key, `=`, value |
| `DataClass`, `Group`, `User`, `Service`, `Agent` | the name | |

Escaping is by `%` and hexadecimal digits, only of what would be read as a separator: `%` and `/` in a connection's name, `%` and
`.` (and `:` in a kind) in dotted parts, `%` and `=` in a label's key, `%`, `/`, `[` and `]` in a destination's host. So the table `my.table` is `…/public.my%2Etable`, and no two
resources have the same id. Quotes, backslashes and any Unicode stand as they are: ids are handed over as data, never as Cedar text.
"""

from __future__ import annotations

import re
from typing import Final, assert_never

from interpose.model.ids import ConnectionName
from interpose.model.resources import (
    ColumnResource,
    ConnectionResource,
    DatabaseResource,
    DestinationResource,
    FunctionResource,
    HostResource,
    ObjectResource,
    PathResource,
    ProgramResource,
    Resource,
    RoleResource,
    SchemaResource,
    SettingResource,
    TableResource,
)

Uid = tuple[str, str]
"""An entity's type and id."""

GATEWAY: Final[Uid] = ("Gateway", "interpose")
"""What `audit` and `administer` are asked on: the gateway as a whole."""


def _escape(text: str, separators: str) -> str:
    text = text.replace("%", "%25")
    for character in separators:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _dotted(*parts: str) -> str:
    return ".".join(_escape(part, ".") for part in parts)


def connection_uid(name: ConnectionName) -> Uid:
    """`Connection::"orders-prod"`."""
    return ("Connection", _escape(name, "/"))


def label_uid(key: str, value: str) -> Uid:
    """`Label::"env=prod"`."""
    return ("Label", f"{_escape(key, '=')}={value}")


def schema_uid(connection: str, schema: str) -> Uid:
    """`Schema::"orders-prod/public"`; `connection` is the connection's id."""
    return ("Schema", f"{connection}/{schema}")


def table_uid(connection: str, schema: str, table: str) -> Uid:
    """`Table::"orders-prod/public.customers"`; `connection` is the connection's id."""
    return ("Table", f"{connection}/{_dotted(schema, table)}")


def host_uid(connection: str) -> Uid:
    """`Host::"web-1"`; `connection` is the connection's id."""
    return ("Host", connection)


def path_uid(connection: str, path: str) -> Uid:
    """`Path::"web-1//etc/passwd"`; `connection` is the connection's id."""
    return ("Path", f"{connection}/{path}")


def resource_uid(connection: str, resource: Resource) -> Uid:
    """The entity of a resource on a connection; `connection` is the connection's id."""
    match resource:
        case ColumnResource():
            return ("Column", f"{connection}/{_dotted(resource.schema, resource.table, resource.name)}")
        case TableResource():
            return table_uid(connection, resource.schema, resource.name)
        case FunctionResource():
            return ("Function", f"{connection}/{_dotted(resource.schema, resource.name)}")
        case SchemaResource():
            return schema_uid(connection, resource.name)
        case DatabaseResource():
            return ("Database", f"{connection}/{resource.name}")
        case SettingResource():
            return ("Setting", f"{connection}/{resource.name}")
        case RoleResource():
            return ("Role", f"{connection}/{resource.name}")
        case ObjectResource():
            kind = _escape(resource.kind, ":")
            return ("DbObject", f"{connection}/{kind}:{_dotted(resource.schema, resource.name)}")
        case HostResource():
            return host_uid(connection)
        case ProgramResource():
            return ("Program", f"{connection}/{resource.word}")
        case PathResource():
            return path_uid(connection, resource.path)
        case DestinationResource():
            if resource.socket:
                return ("Destination", f"{connection}/{resource.socket}")
            host = _escape(resource.host, "/[]")
            return (
                "Destination",
                f"{connection}/[{host}]:{resource.port}" if ":" in host else f"{connection}/{host}:{resource.port}",
            )
        case ConnectionResource():
            return ("Connection", connection)
        case _:
            assert_never(resource)


_CONNECTION = r"(?:[^%/]|%25|%2F)+"
_PART = r"(?:[^%.]|%25|%2E)*"
_CANONICAL = r"/|(?:/(?!\.{1,2}(?:/|\Z))[^/]+)+"
_HOST = r"(?:[^%/:\[\]]|%25|%2F|%5B|%5D)*"
_SHAPES: dict[str, tuple[re.Pattern[str], str]] = {
    "Connection": (re.compile(_CONNECTION, re.S), "orders-prod"),
    "Schema": (re.compile(f"{_CONNECTION}/.*", re.S), "orders-prod/public"),
    "Database": (re.compile(f"{_CONNECTION}/.*", re.S), "orders-prod/shop"),
    "Setting": (re.compile(f"{_CONNECTION}/.*", re.S), "orders-prod/work_mem"),
    "Role": (re.compile(f"{_CONNECTION}/.*", re.S), "orders-prod/reporting"),
    "Table": (re.compile(rf"{_CONNECTION}/{_PART}\.{_PART}", re.S), "orders-prod/public.customers"),
    "Function": (re.compile(rf"{_CONNECTION}/{_PART}\.{_PART}", re.S), "orders-prod/public.refund"),
    "Column": (re.compile(rf"{_CONNECTION}/{_PART}\.{_PART}\.{_PART}", re.S), "orders-prod/public.customers.email"),
    "DbObject": (
        re.compile(rf"{_CONNECTION}/(?:[^%:]|%25|%3A)*:{_PART}\.{_PART}", re.S),
        "orders-prod/trigger:public.audit",
    ),
    "Host": (re.compile(_CONNECTION, re.S), "web-1"),
    "Program": (re.compile(f"{_CONNECTION}/.*", re.S), "web-1/systemctl"),
    "Path": (re.compile(rf"{_CONNECTION}/(?:{_CANONICAL}|[^/].*|)", re.S), "web-1//etc/passwd"),
    "Destination": (
        re.compile(rf"{_CONNECTION}/(?:/.*|(?:{_HOST}|\[(?:{_HOST}:)+{_HOST}\]):\d+)", re.S),
        "web-1/db:5432",
    ),
    "Label": (re.compile(r"(?:[^%=]|%25|%3D)+=.*", re.S), "env=prod"),
    "Gateway": (re.compile("interpose"), "interpose"),
}


def example_id(uid: Uid) -> str | None:
    """None when an entity of this type can have this id, else an id of the right form: a literal that can never match."""
    shape = _SHAPES.get(uid[0])
    return None if shape is None or shape[0].fullmatch(uid[1]) else shape[1]


def connection_part(uid: Uid) -> str | None:
    """The connection's id in a resource's id, or None when entities of this type have none."""
    if uid[0] in ("Label", "Gateway") or uid[0] not in _SHAPES:
        return None
    return uid[1].partition("/")[0]


def describe(resource: Resource) -> str:
    """A resource as a sentence names it: `table public.customers`. Safe to show."""
    match resource:
        case ColumnResource():
            return f"column {resource.schema}.{resource.table}.{resource.name}"
        case TableResource():
            kind = "table" if resource.kind in ("table", "partitioned", "unresolved", "temp") else resource.kind
            return f"{kind} {resource.schema}.{resource.name}" if resource.schema else f"{kind} {resource.name}"
        case FunctionResource():
            return f"function {resource.schema}.{resource.name}" if resource.schema else f"function {resource.name}"
        case SchemaResource():
            return f"schema {resource.name}"
        case DatabaseResource():
            return f"database {resource.name}"
        case SettingResource():
            return f"setting {resource.name}"
        case RoleResource():
            return f"role {resource.name}"
        case ObjectResource():
            return (
                f"{resource.kind} {resource.schema}.{resource.name}"
                if resource.schema
                else f"{resource.kind} {resource.name}"
            )
        case HostResource():
            return "the host"
        case ProgramResource():
            return f"program {resource.word}"
        case PathResource():
            return f"path {resource.path}"
        case DestinationResource():
            return f"destination {resource.name}"
        case ConnectionResource():
            return "the connection"
        case _:
            assert_never(resource)
