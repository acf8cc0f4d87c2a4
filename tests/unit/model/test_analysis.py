"""What analysis says: statements within statements."""

from interpose.model.analysis import Analysis, NamedText, StatementInfo, every_statement


def test_what_a_statement_prepares_or_declares_is_a_statement_too() -> None:
    inner = StatementInfo("SELECT")
    prepared = StatementInfo("PREPARE", prepares=NamedText("p", Analysis((), (inner,))))
    declared = StatementInfo("DECLARE CURSOR", declares=NamedText("c", Analysis((), (prepared,))))
    plain = StatementInfo("SHOW")
    found = every_statement(Analysis((), (declared, plain)))
    assert [each.tag for each in found] == ["DECLARE CURSOR", "PREPARE", "SELECT", "SHOW"]
