"""Tables of docs/reference/policy.md, from the schema, the facts, the annotations and the detectors.

The meaning of each name stands here; a name without one, or a meaning without a name, is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import interpose.policy.annotations as annotation_words
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.model.actions import ACTION_GROUPS, COMMAND_GROUPS, UNGROUPED_COMMANDS, Action
from interpose.policy.facts import EFFECT_FACTS, GATEWAY_FACTS, SESSION_ALWAYS, SESSION_FACTS, Fact
from interpose.policy.names import example_id
from interpose.policy.schema import ANY_COMMAND, ENTITY_TYPES, RESOURCE_ATTRIBUTES, schema_text
from tools.pages import masks
from tools.pages.tables import code, codes, table

_ENTITIES = {
    "User": ("alice", "a person"),
    "Service": ("importer", "a program with a task of its own"),
    "Agent": ("shopbot", "an AI agent; acts for a person"),
    "Group": ("support", "a group of the principals file"),
    "Label": ("", "a label of a connection"),
    "Connection": ("", "a configured upstream"),
    "Database": ("", "what CREATE, ALTER and DROP DATABASE act on; not a container of schemas"),
    "Schema": ("", "a schema"),
    "Table": ("", "a table, view, materialized view, foreign table or sequence"),
    "Column": ("", "a column; in its table and in each of its data classes"),
    "Function": ("", "a function, procedure, aggregate or the function of an operator; overloads share one id"),
    "Setting": ("", "a session setting, lower case"),
    "Role": ("", "a role of the upstream database"),
    "DbObject": ("", "any other object: its kind, schema and name"),
    "Host": ("", "the host behind an SSH connection"),
    "Program": ("", "a program by the word that runs it"),
    "Path": ("", "a file or folder; in every folder above it and in its host"),
    "Destination": ("", "where a forward leads or listens: host and port, or a socket's path"),
    "DataClass": ("pii.email", "what makes a value sensitive; `pii.email` is in `pii`"),
    "Gateway": ("", "the gateway as a whole, for `audit` and `administer`"),
    "Action": ("select", "an action or an action group"),
}

_ATTRIBUTES = {
    "connection": "the connection that it belongs to",
    "name": "its own name, without schema. Of a program: the last part of the word that runs it when that is looked up in PATH or is in one of the system's own folders, else the whole path; permit programs by this",
    "schema": 'its schema (of a schema, its own name); `""` where it has none',
    "table": 'the table\'s name, on a table and on its columns; else `""`',
    "path": 'on a `Path` and on a `Program` that is run by its path: the path; of a socket destination its path; else `""`',
    "basename": 'the last part of a path, and of the word that runs a program; else `""`. Forbid programs by this',
    "kind": "on a table `table`, `partitioned`, `view`, `matview`, `foreign`, `sequence`, `temp` or `unresolved`; on a `DbObject` its kind; "
    "else `column`, `function`, `schema`, `database`, `setting`, `role`, `connection`, `data_class`, `host`, `program`, `path` or `destination`",
    "resolved": "on a table: whether the catalog knew the name; on a path: whether the whole path is known; on everything else true",
    "builtin": "on a function: whether it is PostgreSQL's own; on a program: whether it is looked up in PATH or in one of the system's own folders",
}

_ACTIONS = {
    Action.CONNECT: "open a session on a connection",
    Action.SELECT: "read a column or table, in a result or anywhere else in a statement",
    Action.SHOW: "read a setting",
    Action.COPY_OUT: "COPY … TO STDOUT",
    Action.EXPLAIN: "EXPLAIN; what is explained has its own effects as well",
    Action.INSERT: "INSERT, and what MERGE may insert",
    Action.UPDATE: "UPDATE, ON CONFLICT DO UPDATE, and what MERGE may update",
    Action.DELETE: "DELETE, and what MERGE may delete",
    Action.MERGE: "MERGE",
    Action.COPY_IN: "COPY … FROM STDIN",
    Action.TRUNCATE: "TRUNCATE",
    Action.LOCK: "LOCK TABLE, SELECT … FOR UPDATE and its like",
    Action.CREATE: "CREATE, SELECT INTO, CREATE TABLE AS",
    Action.ALTER: "ALTER",
    Action.DROP: "DROP",
    Action.COMMENT: "COMMENT",
    Action.GRANT: "GRANT",
    Action.REVOKE: "REVOKE",
    Action.SET: "SET, RESET, DISCARD, set_config",
    Action.SET_ROLE: "SET ROLE, SET SESSION AUTHORIZATION",
    Action.CALL: "call a function or procedure",
    Action.DO: "run a DO block",
    Action.TRANSACTION: "BEGIN, COMMIT, ROLLBACK, savepoints; SQL-level PREPARE, EXECUTE and cursors; an empty command",
    Action.LISTEN: "LISTEN, UNLISTEN",
    Action.NOTIFY: "NOTIFY, pg_notify",
    Action.MAINTAIN: "VACUUM, ANALYZE, CLUSTER, REINDEX, CHECKPOINT, REFRESH MATERIALIZED VIEW",
    Action.SERVER_FILE: "read or write a file of the database server",
    Action.SERVER_PROGRAM: "run a program on the database server",
    Action.ADMINISTER_SERVER: "act on the server, its roles, other databases, other sessions or replication",
    Action.DYNAMIC_SQL: "run SQL that a function gets as a text, or read tables that it gets by name: `query_to_xml`, `ts_stat`, `crosstab`; what it runs is judged only when it is one literal query",
    Action.OTHER_SERVER: "talk to another server by a function: `dblink`",
    Action.EXEC: "run a program with literal words",
    Action.EXEC_DYNAMIC: "run what cannot be told from the command line: substitutions, interpreters, scripts, remote commands",
    Action.MANAGED_SHELL: "get the gateway's own shell where `shell` is not permitted: each line of it is judged as a command",
    Action.SHELL: "start an interactive shell: what is typed there is recorded, not judged",
    Action.PTY: "have a terminal",
    Action.SET_ENV: "set an environment variable",
    Action.SUBSYSTEM: "start a subsystem of SSH other than sftp",
    Action.READ_FILE: "read a file, by SFTP, SCP or a program that is known to",
    Action.LIST_FILES: "list a folder or look at what a file is",
    Action.WRITE_FILE: "write or make a file or folder",
    Action.RENAME_FILE: "move a file; `path_to` says where to",
    Action.REMOVE_FILE: "remove a file or folder",
    Action.LINK_FILE: "make a link; `path_to` says where it leads",
    Action.CHANGE_FILE: "change owner, mode, times or size",
    Action.FORWARD: "open a connection through the host, to a port or a local socket",
    Action.FORWARD_LISTEN: "have the host listen and pass connections to the client",
    Action.FORWARD_AGENT: "let the host use the client's SSH agent",
    Action.FORWARD_X11: "let the host use the client's display",
    Action.REVEAL: "show a classified value in the clear; see [Masking](#masking)",
    Action.INFER: "use a column that is hidden otherwise than by selecting it as it is; see [Strict mode](#strict-mode)",
    Action.ACT_FOR: "act for a person; the resource is the person. Asked when an agent gets a token for that; see [Agents](../how-to/agents.md)",
    Action.APPROVE: "vote on a held command of this connection",
    Action.REPLAY: "read recordings of this connection",
    Action.AUDIT: "list sessions of this connection, see its approvals",
    Action.ADMINISTER: "reload the gateway, end sessions",
    Action.UNKNOWN: "something that analysis does not understand",
}

_CLASSES = {
    "pii.email": "e-mail addresses",
    "pci.card": "payment card numbers: a known issuer's prefix and length, and Luhn's check digit",
    "pii.ssn": "US social security numbers that can exist",
    "pii.iban": "IBANs: a country's length and the check digits of ISO 7064",
    "pii.phone": "phone numbers, international or North American, that fit a numbering plan",
    "secret.jwt": "JSON Web Tokens",
    "secret.aws_key": "AWS access key ids and secret keys",
    "secret.private_key": "private keys in PEM, OpenPGP or PuTTY form",
    "pii.national_id": "national ids with check digits: Belgium, Brazil, China, Finland, France, India, Italy, Norway, Poland, Spain, Sweden, "
    "Switzerland; and the form of the British",
    "secret.api_key": "keys and tokens of GitHub, GitLab, Slack, Google, Stripe, npm, PyPI, SendGrid, OpenAI, Anthropic and others, by their form",
    "secret.password": "passwords in connection strings: `scheme://user:password@host`, `password=…`, `pwd=…`",
}


def _same(names: Iterable[str], told: Iterable[str], what: str) -> None:
    """Raise `ValueError` unless every name is told and nothing else is."""
    differing = set(names) ^ set(told)
    if differing:
        raise ValueError(f"{what}: {sorted(differing)} must be in the code and here")


def entities() -> str:
    """Entity types."""
    _same(ENTITY_TYPES, _ENTITIES, "entity types")
    parents = dict(re.findall(r"^entity (\w+) in \[([^]]*)\]", schema_text(), re.MULTILINE))
    rows = []
    for name, (example, meaning) in _ENTITIES.items():
        sample = example or example_id((name, "")) or ""
        above = (
            "action groups" if name == "Action" else codes(each for each in parents.get(name, "").split(", ") if each)
        )
        rows.append((code(name), code(f'{name}::"{sample}"'), above, meaning))
    return table(("type", "example", "is in", "meaning"), rows)


def attributes() -> str:
    """Attributes of resources."""
    _same(RESOURCE_ATTRIBUTES, _ATTRIBUTES, "attributes")
    return table(
        ("attribute", "type", "meaning"),
        ((code(name), code(type_), _ATTRIBUTES[name]) for name, type_ in RESOURCE_ATTRIBUTES.items()),
    )


def actions() -> str:
    """Actions with their groups."""
    _same((action.value for action in Action), (action.value for action in _ACTIONS), "actions")
    rows = []
    for action, groups in ACTION_GROUPS.items():
        within = [*groups, *(ANY_COMMAND for each in groups if each in COMMAND_GROUPS)]
        if action in UNGROUPED_COMMANDS:
            within.append(ANY_COMMAND)
        rows.append((code(action.value), codes(within) or "none", _ACTIONS[action]))
    return table(("action", "in the groups", "what it is"), rows)


def _facts(facts: Iterable[Fact]) -> str:
    rows = []
    for fact in facts:
        always = fact.name in SESSION_ALWAYS
        required = codes(action.value for action in Action if action in fact.required_on)
        rows.append(
            (code(fact.name), code(fact.type.value), "always" if always else required or "may be absent", fact.meaning)
        )
    return table(("fact", "type", "there on", "meaning"), rows)


def effect_facts() -> str:
    """Facts of an effect."""
    return _facts(EFFECT_FACTS)


def session_facts() -> str:
    """Facts of a session."""
    return _facts(SESSION_FACTS)


def gateway_facts() -> str:
    """Facts of gateway actions."""
    return _facts(GATEWAY_FACTS)


def annotation_table() -> str:
    """The annotations, as their module tells them."""
    found = re.findall(r"^\| (`@.*?) \| (.*?) \| (.*?) \|$", annotation_words.__doc__ or "", re.MULTILINE)
    _same(annotation_words.ANNOTATIONS, re.findall(r"@(\w+)", " ".join(row[0] for row in found)), "annotations")
    return table(("annotation", "on", "value"), found)


def detectors() -> str:
    """Data classes that content detection finds."""
    _same(CONTENT_CLASSES, _CLASSES, "detected data classes")
    return table(("data class", "what is found"), ((code(name), meaning) for name, meaning in _CLASSES.items()))


BLOCKS = {
    "entities": entities,
    "attributes": attributes,
    "actions": actions,
    "effect-facts": effect_facts,
    "session-facts": session_facts,
    "gateway-facts": gateway_facts,
    "annotations": annotation_table,
    "transforms": masks.transforms,
    "masked-types": masks.types,
    "detectors": detectors,
}
"""The page's blocks by name."""
