"""Ids sort by time, are new each time, and can stand in file names."""

import re

from interpose.app.system import SystemClock, SystemIds, boot_name, node_name


def test_session_ids_are_new_and_sort_by_time() -> None:
    ids = SystemIds()
    made = [ids.session() for _ in range(200)]
    assert len(set(made)) == 200
    assert all(re.fullmatch(r"s_[0-9a-z]{26}", session) for session in made)
    assert [session[:12] for session in made] == sorted(session[:12] for session in made)


def test_approval_ids_are_short_enough_to_type() -> None:
    assert re.fullmatch(r"ap-[0-9a-hjkmnp-tv-z]{6}", SystemIds().approval())


def test_a_boot_has_a_name_of_its_own_that_a_file_can_have() -> None:
    names = {boot_name(0) for _ in range(20)}
    assert len(names) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9-]+", f"{node_name()}-{name}") for name in names)


def test_the_monotonic_clock_does_not_go_back() -> None:
    clock = SystemClock()
    first = clock.monotonic()
    assert clock.monotonic() >= first
    assert clock.wall() > 1_700_000_000
