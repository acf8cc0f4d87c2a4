"""`classify scan`, wired: one survey of a configured connection with the gateway's own credential, and the file that would come of it."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from interpose.app.loading import MASKS, Loaded
from interpose.app.protocols import OUTLINES, relayed
from interpose.app.secrets import open_secrets
from interpose.app.state import State
from interpose.engine.admit import gateway_grant
from interpose.engine.classify import ScanReport, scan
from interpose.masking.column_names import DESCRIPTIONS
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.connection import Connection
from interpose.model.errors import ClientError, ConfigurationError
from interpose.model.ids import ConnectionName
from interpose.net.certificates import ClientContexts
from interpose.net.options import DialOptions, SessionOptions
from interpose.net.surveys import UpstreamSurvey
from interpose.net.upstream import Dialer
from interpose.policy.classification_edit import AddedColumn, add_columns
from interpose.policy.classifications import read_classifications
from interpose.policy.load import CLASSIFICATIONS
from interpose.policy.yaml_text import nearest


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """What a scan found, and the file as it is (`before`) and would be (`after`)."""

    report: ScanReport
    file: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The change as a unified diff of the policy folder's file, empty when there is none."""
        return "".join(
            difflib.unified_diff(
                self.before.splitlines(keepends=True),
                self.after.splitlines(keepends=True),
                f"a/{CLASSIFICATIONS}" if self.before else "/dev/null",
                f"b/{CLASSIFICATIONS}",
            )
        )

    def write(self) -> None:
        """Replace the file; raises `ConfigurationError` when it cannot be written or was changed meanwhile."""
        if _text(self.file) != self.before:
            raise ConfigurationError(f"`{self.file}` was changed during the scan", hint="run the scan again")
        try:
            new = self.file.with_name(f".{self.file.name}.new")
            new.write_text(self.after, encoding="utf-8", newline="")
            if self.file.exists():
                new.chmod(self.file.stat().st_mode & 0o777)
            new.replace(self.file)
        except OSError as error:
            raise ConfigurationError(
                f"`{self.file}` cannot be written", detail=str(error), hint="apply the diff by hand"
            ) from error


def connection_named(loaded: Loaded, name: str) -> Connection:
    """The configured connection of this name; raises `ClientError`."""
    connections = loaded.snapshot.connections
    found = connections.get(ConnectionName(name))
    if found is None:
        raise ClientError(f"there is no connection `{name}`", hint=nearest(name, connections))
    return found


async def scan_connection(
    loaded: Loaded,
    state: State,
    connection: Connection,
    operator: str,
    *,
    schema: str | None,
    sample: int,
    excepted: tuple[str, ...] = (),
    progress: Callable[[int, int, str], None],
) -> ScanOutcome:
    """Scan one connection. `excepted` are patterns of columns to propose nothing for. Raises `UpstreamError`, `SecretError`, `ClientError` and `ConfigurationError`.

    Writes no file of policy."""
    protocol = relayed().get(connection.protocol)
    if protocol is None:
        raise ClientError(
            f"the connection `{connection.name}` has no tables to scan: it speaks {connection.protocol}",
            hint=f"name a connection with one of: {', '.join(OUTLINES)}",
        )
    settings = loaded.settings
    file = settings.policy / CLASSIFICATIONS
    before = _text(file)
    chain = state.record.chain
    chain.append(
        AuditEvent(
            AuditKind.ADMINISTERED,
            None,
            operator,
            {"action": "classify scan", "connection": connection.name, "sample": sample, "schema": schema},
        )
    )
    source = UpstreamSurvey(
        Dialer(
            ClientContexts(state.clock.monotonic),
            DialOptions(dial_deadline=settings.limits.dial),
            SessionOptions(write_stall=settings.limits.write_stall),
        ),
        open_secrets(settings, lambda: loaded.snapshot.connections, chain),
        protocol,
        connection,
        gateway_grant(connection),
    )
    # `load` has found no problem in this file.
    classified = read_classifications(before, CLASSIFICATIONS, MASKS, frozenset(CONTENT_CLASSES), None, [])
    known = classified.for_connection(connection)
    try:
        report = await scan(
            source,
            known,
            schema=schema,
            sample=sample,
            excepted=lambda column: any(fnmatch.fnmatchcase(column, pattern) for pattern in excepted),
            progress=progress,
        )
    finally:
        source.close()
    if schema is not None and not report.tables:
        raise ClientError(
            f"the schema `{schema}` has no tables that the gateway's role can see",
            hint="check the name, or leave it out",
        )
    after = before
    if report.proposals:
        after = add_columns(
            before,
            str(file),
            connection,
            [AddedColumn(each.column, each.classes, each.evidence) for each in report.proposals],
            DESCRIPTIONS,
            MASKS,
            frozenset(CONTENT_CLASSES),
        )
    return ScanOutcome(report, file, before, after)


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"`{file}` cannot be read", detail=str(error), hint="check the file") from error
