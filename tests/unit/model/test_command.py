"""Commands of both families of protocols."""

from interpose.model.command import Command, CommandKind, HostContext, SqlContext


def test_a_command_of_a_host_has_an_empty_sql_session() -> None:
    command = Command(CommandKind.EXEC, "ls", HostContext("deploy"))
    assert command.sql.path == ()
    assert not command.sql.prepared


def test_a_sql_command_has_its_own() -> None:
    context = SqlContext(("public",), 17)
    assert Command(CommandKind.QUERY, "select 1", context).sql is context
