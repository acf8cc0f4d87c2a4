"""The session's own statements: what each changes, names, drops and runs again."""

import pytest

from interpose.model.analysis import SessionChange as Change
from interpose.model.analysis import StatementInfo
from interpose.model.command import SqlContext
from tests.support.catalog import PATH, analysed, effect_words

UNDONE = {Change.TRANSACTION, Change.SETTINGS, Change.CATALOG, Change.CURSORS}


def info(text: str) -> StatementInfo:
    """The last statement."""
    return analysed(text).statements[-1]


@pytest.mark.parametrize(
    ("text", "tag", "changes"),
    [
        ("BEGIN", "BEGIN", {Change.TRANSACTION}),
        ("START TRANSACTION READ ONLY", "START TRANSACTION", {Change.TRANSACTION}),
        ("END", "COMMIT", {Change.TRANSACTION, Change.CURSORS}),
        ("ABORT", "ROLLBACK", UNDONE),
        ("SAVEPOINT a", "SAVEPOINT", {Change.TRANSACTION}),
        ("RELEASE a", "RELEASE", {Change.TRANSACTION}),
        ("ROLLBACK TO a", "ROLLBACK", UNDONE),
        ("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION", {Change.TRANSACTION, Change.CURSORS}),
        ("COMMIT PREPARED 'x'", "COMMIT PREPARED", {Change.TRANSACTION, Change.CATALOG}),
        ("ROLLBACK PREPARED 'x'", "ROLLBACK PREPARED", {Change.TRANSACTION}),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET", {Change.TRANSACTION}),
        ("SET CONSTRAINTS ALL DEFERRED", "SET CONSTRAINTS", set()),
        ("SET work_mem = 1", "SET", {Change.SETTINGS}),
        ("RESET work_mem", "RESET", {Change.SETTINGS}),
        ("SHOW work_mem", "SHOW", set()),
        ("DISCARD PLANS", "DISCARD PLANS", set()),
        ("DISCARD TEMP", "DISCARD TEMP", {Change.CATALOG}),
        ("LISTEN c", "LISTEN", set()),
        ("UNLISTEN *", "UNLISTEN", set()),
        ("NOTIFY c", "NOTIFY", set()),
        ("DO ''", "DO", {Change.OPAQUE}),
        ("CALL close_month()", "CALL", {Change.OPAQUE, Change.TRANSACTION}),
        ("PREPARE p AS SELECT 1", "PREPARE", {Change.PREPARED}),
        ("DEALLOCATE p", "DEALLOCATE", {Change.PREPARED}),
        ("DECLARE c CURSOR FOR SELECT 1", "DECLARE CURSOR", {Change.CURSORS}),
        ("FETCH c", "FETCH", {Change.CURSORS}),
        ("MOVE c", "MOVE", {Change.CURSORS}),
        ("CLOSE c", "CLOSE CURSOR", {Change.CURSORS}),
    ],
)
def test_tags_and_changes(text: str, tag: str, changes: set[Change]) -> None:
    assert info(text).tag == tag
    assert info(text).changes == changes
    assert analysed(text).effects


def test_names_that_are_made_and_dropped() -> None:
    prepared = info("PREPARE p AS DELETE FROM orders").prepares
    assert prepared is not None and prepared.name == "p"
    assert "delete public.orders" in {effect_words(effect) for effect in prepared.analysis.effects}
    declared = info("DECLARE c CURSOR WITH HOLD FOR SELECT 1").declares
    assert declared is not None and declared.name == "c" and declared.outlives_transaction
    ended = info("DECLARE c CURSOR FOR SELECT 1").declares
    assert ended is not None and not ended.outlives_transaction
    assert info("DEALLOCATE ALL").deallocates == "*"
    assert info("CLOSE ALL").closes == "*"
    everything = info("DISCARD ALL")
    assert (everything.deallocates, everything.closes) == ("*", "*")
    assert info("EXECUTE p").runs_prepared == "p"
    assert info("FETCH 5 FROM c").runs_cursor == "c"


def test_running_again_is_doing_it() -> None:
    context = SqlContext(PATH, 17, prepared={"p": analysed("INSERT INTO orders (note) SELECT card FROM payments")})
    found = analysed("EXECUTE p", context)
    assert "insert public.orders" in {effect_words(effect) for effect in found.effects}
    assert {column.name for column in found.statements[0].sinks} == {"card"}
    assert found.statements[0].outputs is None


def test_moving_shows_nothing() -> None:
    context = SqlContext(PATH, 17, cursors={"c": analysed("SELECT note FROM orders")})
    assert analysed("MOVE c", context).statements[0].outputs is None
    assert analysed("FETCH c", context).statements[0].outputs is not None


def test_names_do_not_outlive_what_drops_them() -> None:
    found = analysed("PREPARE p AS SELECT note FROM orders; DO ''; EXECUTE p").statements[-1]
    assert found.outputs is not None and found.outputs.columns is None and not found.used_known
