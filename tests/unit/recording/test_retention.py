"""What is old enough to go."""

from __future__ import annotations

import pytest

from interpose.recording.chain import ChainHead
from interpose.recording.retention import DAY, KeptChain, KeptRecording, RetentionRules, plan_retention

NOW = 1_000 * DAY
HEAD = ChainHead("n-b", 1, "00" * 32)


@pytest.mark.parametrize(
    ("sealed_at", "goes"),
    [(NOW - 91 * DAY, True), (NOW - 90 * DAY, False), (NOW, False), (NOW + DAY, False), (None, False)],
)
def test_recordings_by_age(sealed_at: float | None, goes: bool) -> None:
    plan = plan_retention([KeptRecording("s", sealed_at)], [], RetentionRules(recording_days=90), NOW)
    assert bool(plan.recordings) is goes


@pytest.mark.parametrize(("last_at", "goes"), [(NOW - 401 * DAY, True), (NOW - 399 * DAY, False), (None, False)])
def test_chains_by_their_own_age(last_at: float | None, goes: bool) -> None:
    rules = RetentionRules(recording_days=90, audit_days=400)
    assert bool(plan_retention([], [KeptChain(HEAD, last_at)], rules, NOW).chains) is goes


def test_nothing_goes_by_default_but_recordings() -> None:
    plan = plan_retention([KeptRecording("s", 0.0)], [KeptChain(HEAD, 0.0)], RetentionRules(), NOW)
    assert (len(plan.recordings), plan.chains) == (1, ())


@pytest.mark.parametrize(("recordings", "audit"), [(90, 30), (None, 400)])
def test_the_proof_outlives_what_it_proves(recordings: float | None, audit: float) -> None:
    with pytest.raises(ValueError, match="at least as long"):
        RetentionRules(recordings, audit)
