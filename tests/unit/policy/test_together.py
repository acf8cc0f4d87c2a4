"""Two decisions as one, and what is hidden from either of two principals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interpose.masking.strictness import strictest
from interpose.masking.transforms import parse_transform
from interpose.model.decisions import ApprovalRule, Decision, Forbidden, Held, Obligations, Permitted
from interpose.model.ids import DataClassName, PolicyId, SnapshotDigest
from interpose.model.masks import MaskRule, RevealTable
from interpose.model.resources import ColumnResource
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.together import hidden_from_either, together

SNAPSHOT = SnapshotDigest("s")
MASKS = MaskVocabulary(strictest, parse_transform)
EMAIL, PHONE = ColumnResource("public", "people", "email"), ColumnResource("public", "people", "phone")

_RULES = [ApprovalRule(PolicyId(name), f"{name}-approvers") for name in "pq"]
_IDS = st.lists(st.sampled_from([PolicyId(name) for name in "abc"]), unique=True).map(tuple)
_PERMITS = st.builds(
    Permitted,
    _IDS,
    st.just(SNAPSHOT),
    st.builds(Obligations, max_rows=st.one_of(st.none(), st.integers(1, 9)), exact=st.booleans()),
    _IDS,
    _IDS,
)
_FORBIDS = st.builds(Forbidden, _IDS, st.just(SNAPSHOT), st.just("forbidden"), st.just("no"), observed=_IDS)
_HELD = st.lists(st.sampled_from(_RULES), min_size=1, unique=True).map(
    lambda rules: Held(tuple(rule.policy for rule in rules), SNAPSHOT, tuple(rules), "asks")
)
DECISIONS: st.SearchStrategy[Decision] = st.one_of(_PERMITS, _FORBIDS, _HELD)


def _rank(decision: Decision) -> int:
    return {Permitted: 0, Held: 1, Forbidden: 2}[type(decision)]


@given(DECISIONS, DECISIONS)
def test_the_answer_is_as_strict_as_the_stricter_of_the_two(own: Decision, persons: Decision) -> None:
    made = together(own, persons, "bob")
    assert _rank(made) == max(_rank(own), _rank(persons))
    assert set(made.observed) == set(own.observed) | set(persons.observed)
    if isinstance(made, Held):
        needed = {rule for each in (own, persons) if isinstance(each, Held) for rule in each.approvals}
        assert set(made.approvals) == needed and len(made.approvals) == len(needed)
    if isinstance(made, Permitted) and isinstance(own, Permitted) and isinstance(persons, Permitted):
        caps = [each.obligations.max_rows for each in (own, persons) if each.obligations.max_rows is not None]
        assert made.obligations.max_rows == (min(caps) if caps else None)
        assert made.obligations.exact is (own.obligations.exact or persons.obligations.exact)
        assert set(made.policies) == set(own.policies) | set(persons.policies)
        assert set(made.lifted) == set(own.lifted) | set(persons.lifted)


def test_a_refusal_says_whose_rights_are_missing() -> None:
    permit = Permitted((PolicyId("a"),), SNAPSHOT)
    refusal = Forbidden((), SNAPSHOT, "not_permitted", "no policy permits this")
    made = together(permit, refusal, "bob\n")
    assert isinstance(made, Forbidden)
    assert (
        made.reason
        == "`bob\N{REPLACEMENT CHARACTER}`, for whom this acts, may not do it either: no policy permits this"
    )
    own = together(refusal, permit, "bob")
    assert isinstance(own, Forbidden) and own.reason == refusal.reason


def test_what_is_hidden_from_either_is_hidden_and_from_both_in_the_stricter_way() -> None:
    pii = DataClassName("pii")
    one = RevealTable(
        {EMAIL: MaskRule("partial-email", (PolicyId("a"),))}, {pii: MaskRule("last:4")}, frozenset({EMAIL})
    )
    other = RevealTable({EMAIL: MaskRule("redact", (PolicyId("b"),)), PHONE: MaskRule("hash")}, definitions=True)
    for first, second in ((one, other), (other, one)):
        made = hidden_from_either(first, second, MASKS)
        assert made.columns[EMAIL].transform == "redact" and set(made.columns[EMAIL].policies) == {"a", "b"}
        assert made.columns[PHONE] == MaskRule("hash") and made.content == {pii: MaskRule("last:4")}
        assert made.strict == {EMAIL} and made.definitions
    assert hidden_from_either(one, RevealTable(), MASKS) == one
