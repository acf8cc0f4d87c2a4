"""What names mean."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interpose.model.actions import Action
from interpose.protocols.postgres.relay.names import AnalysisView, Names, PlannedView, Portal, Statement
from tests.support.playbook import NOTHING, analysis

PATH = ("pg_catalog", "public")


def statement(name: str, text: str = "select 1") -> Statement:
    return Statement(name, text, NOTHING, PATH, 0)


def test_a_version_that_is_dropped_leaves_what_was_before() -> None:
    names: Names[Statement] = Names()
    old, new = statement("s", "old"), statement("s", "new")
    names.define(old)
    names.add(new)
    assert names.find("s") is new
    names.drop(new)
    assert names.find("s") is old


def test_a_version_in_the_middle_is_taken_out() -> None:
    names: Names[Statement] = Names()
    old, middle, new = (statement("s", text) for text in ("old", "middle", "new"))
    names.define(old)
    names.add(middle)
    names.add(new)
    names.drop(middle)
    assert names.find("s") is new
    names.drop(new)
    assert names.find("s") is old


def test_a_removal_counts_when_it_is_committed() -> None:
    names: Names[Statement] = Names()
    names.define(statement("s"))
    gone = Statement("s", "", None, None, 0)
    names.add(gone)
    found = names.find("s")
    assert found is not None
    assert found.gone
    assert not found.resolved
    names.commit(gone)
    assert names.find("s") is None
    assert not names


def test_removing_all_leaves_what_is_on_its_way() -> None:
    names: Names[Statement] = Names()
    names.define(statement("a"))
    coming = statement("b")
    names.add(coming)
    names.remove("*")
    assert names.find("a") is None
    assert names.find("b") is coming


def test_portals_may_outlive_their_transaction() -> None:
    names: Names[Portal] = Names()
    for name, outlives in (("held", True), ("plain", False)):
        portal = Portal(name, None, NOTHING, (), (), 0)
        portal.outlives = outlives
        names.define(portal)
    names.forget(lambda portal: portal.outlives)
    assert set(AnalysisView(names)) == {"held"}


def test_a_view_is_live_and_knows_no_removed_name() -> None:
    names: Names[Statement] = Names()
    view = AnalysisView(names)
    assert len(view) == 0
    names.define(statement("s"))
    assert view["s"] is NOTHING
    names.add(Statement("s", "", None, None, 0))
    assert "s" not in view


def test_a_plan_of_another_path_is_something_unknown() -> None:
    names: Names[Statement] = Names()
    names.define(statement("s"))
    assert PlannedView(names, PATH)["s"] is NOTHING
    other = PlannedView(names, ("pg_catalog", "evil"))["s"]
    assert [effect.action for effect in other.effects] == [Action.UNKNOWN]
    assert other.changes
    assert "absent" not in PlannedView(names, PATH)
    assert len(PlannedView(names, None)) == 1


class Model:
    """The truth, told slowly: all versions in order, with what became of each."""

    def __init__(self) -> None:
        self.versions: list[tuple[Statement, str]] = []

    def meaning(self) -> Statement | None:
        for version, fate in reversed(self.versions):
            if fate != "dropped":
                return None if version.gone and fate == "done" else version
        return None


@given(st.lists(st.sampled_from(("add", "remove", "commit", "drop")), max_size=25))
def test_chains_agree_with_the_slow_truth(steps: list[str]) -> None:
    names: Names[Statement] = Names()
    model = Model()
    for step in steps:
        waiting = [i for i, (_, fate) in enumerate(model.versions) if fate == "waiting"]
        if step in ("add", "remove"):
            made = statement("s") if step == "add" else Statement("s", "", None, None, 0)
            names.add(made)
            model.versions.append((made, "waiting"))
        elif waiting:
            # Answers come in order.
            version, _ = model.versions[waiting[0]]
            getattr(names, step)(version)
            model.versions[waiting[0]] = (version, "done" if step == "commit" else "dropped")
        found, meant = names.find("s"), model.meaning()
        if meant is None:
            assert found is None or (found.gone and found.resolved)
        else:
            assert found is meant


def test_analysis_of_a_portal() -> None:
    names: Names[Portal] = Names()
    fetched = analysis("SELECT")
    names.define(Portal("c", None, fetched, (), (), 0))
    assert AnalysisView(names)["c"] is fetched
