"""The reviewed list: how it is read, that its verdicts hold together, and what no longer is what was reviewed."""

from dataclasses import replace

import pytest

from interpose.analysis.sql.functions import DEEDS
from interpose.analysis.sql.reviewed import REVIEWED, Deed, Verdict, builtin, list_text, read_list
from interpose.model.catalog import Lookup, Routine


def verdict(name: str) -> Verdict | Deed:
    """What the list says of a function."""
    return REVIEWED[name].verdict


def test_a_line_is_a_name_below_its_verdict() -> None:
    found = read_list(["# a remark", "", "[keeps]", "f a s internal,sql 15-17 # why", "[set]", "g fp v c 18-18"])
    assert found["f"].verdict is Verdict.KEEPS
    assert (found["f"].kinds, found["f"].volatility) == ("a", "s")
    assert found["f"].languages == {"internal", "sql"}
    assert found["f"].majors == {15, 16, 17}
    assert found["g"].verdict is Deed.SETTING
    assert found["g"].majors == {18}


@pytest.mark.parametrize(
    "lines",
    [
        ["f f v internal 14-18", "f f v internal 14-18"],
        ["f f x internal 14-18"],
        ["f f v internal"],
        ["f f v internal a-b"],
    ],
)
def test_a_list_that_is_wrong_is_not_read(lines: list[str]) -> None:
    with pytest.raises(ValueError):
        read_list(lines)


def test_an_unknown_verdict_is_not_read() -> None:
    with pytest.raises(KeyError):
        read_list(["[trusted]"])


def test_everything_is_reviewed_and_every_deed_is_known() -> None:
    assert len(REVIEWED) == sum(
        " internal" in line or " sql" in line or " c " in line for line in list_text().splitlines()
    )
    assert not [name for name, each in REVIEWED.items() if each.verdict is Verdict.UNREVIEWED]
    assert {each.verdict for each in REVIEWED.values()} == {*Verdict, *Deed} - {Verdict.UNREVIEWED, Deed.OTHER_SERVER}
    assert {name for name, each in REVIEWED.items() if isinstance(each.verdict, Deed)} <= set(DEEDS)
    assert set(DEEDS.values()) == set(Deed)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            "lower md5 substr format to_char json_populate_record xpath to_tsvector count string_agg lag",
            Verdict.COMPUTES,
        ),
        (
            "now version format_type to_regclass has_table_privilege pg_typeof pg_table_is_visible random",
            Verdict.REPORTS,
        ),
        ("pg_advisory_lock pg_try_advisory_xact_lock setseed lo_lseek tsvector_update_trigger", Verdict.KEEPS),
        ("pg_get_viewdef pg_get_expr pg_get_indexdef pg_get_constraintdef", Verdict.DEFINES),
        ("pg_get_partition_constraintdef", Verdict.CATALOG),
        (
            "pg_get_ruledef pg_get_triggerdef pg_get_functiondef pg_get_statisticsobjdef obj_description",
            Verdict.DEFINES,
        ),
        ("pg_stat_get_activity pg_mcv_list_items pg_cursor pg_input_error_info pg_node_tree_out", Verdict.CATALOG),
        ("domain_in array_in record_in eqsel bthandler array_agg_transfn boolrecv", Verdict.INNER),
        ("pg_read_file pg_ls_dir lo_import pg_hba_file_rules pg_current_logfile", Deed.FILE),
        (
            "pg_terminate_backend pg_logical_slot_get_changes binary_upgrade_set_missing_value pg_nextoid",
            Deed.ADMINISTER,
        ),
        (
            "query_to_xml table_to_xml schema_to_xml database_to_xml cursor_to_xml ts_stat ts_rewrite currtid2",
            Deed.RUNS_TEXT,
        ),
        ("lo_get loread", Deed.LARGE_READ),
        ("set_config", Deed.SETTING),
        ("current_setting pg_show_all_settings", Deed.SHOW),
    ],
)
def test_verdicts_that_must_not_change_unnoticed(names: str, expected: Verdict | Deed) -> None:
    assert {name: verdict(name) for name in names.split()} == dict.fromkeys(names.split(), expected)


@pytest.mark.parametrize(
    "pattern", ["pg_read_", "pg_ls_", "lo_", "binary_upgrade_", "pg_logical_", "pg_replication_slot_"]
)
def test_families_that_never_only_compute(pattern: str) -> None:
    assert not [
        name for name, each in REVIEWED.items() if name.startswith(pattern) and each.verdict is Verdict.COMPUTES
    ]


def test_what_takes_the_name_of_a_query_or_table_as_text_never_computes() -> None:
    assert not [name for name in REVIEWED if "_to_xml" in name and verdict(name) is not Deed.RUNS_TEXT]


def test_a_function_is_covered_only_as_it_was_reviewed() -> None:
    lower = builtin("lower")
    assert isinstance(lower, Routine)
    assert lower.builtin
    reviewed = REVIEWED["lower"]
    assert reviewed.covers(lower)
    assert not reviewed.covers(replace(lower, volatility="v"))
    assert not reviewed.covers(replace(lower, languages=frozenset({"plpgsql"})))
    assert not reviewed.covers(replace(lower, kinds=frozenset("p")))
    assert not reviewed.covers(replace(lower, volatility="?"))


def test_what_the_list_lacks_is_no_function() -> None:
    assert builtin("made_up_in_version_19") is Lookup.NOT_FOUND
