"""The example policy about second factors: its own tests pass, and fail without its rule."""

from __future__ import annotations

from pathlib import Path

from interpose.app.policy_tests import run_policy_tests
from interpose.identity.principals import Principals
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.masking.strictness import strictest
from interpose.masking.transforms import parse_transform
from interpose.model.actions import Action
from interpose.model.analysis import FactValue
from interpose.model.principal import Principal, PrincipalKind
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.bundle import PolicyBundle
from interpose.policy.folder import read_folder
from interpose.policy.load import Surroundings, load_policy
from tests.unit.policy.shop import NOW, connection

_FILES = read_folder(Path(__file__).resolve().parents[3] / "examples" / "fresh-mfa")
_VAULT = connection("vault", mfa="required")
_SURROUNDINGS = Surroundings(MaskVocabulary(strictest, parse_transform), frozenset(CONTENT_CLASSES), (_VAULT,))
_BUNDLE = load_policy(_FILES, _SURROUNDINGS)
_CAROL = Principal(PrincipalKind.USER, "carol", frozenset({"dba"}))


def _problems(bundle: PolicyBundle) -> list[str]:
    report = run_policy_tests(bundle, _FILES, Principals(()), (_VAULT,))
    assert report.passed or report.problems
    return [problem.message for problem in report.problems]


def test_its_own_tests_pass_and_fail_without_the_rule() -> None:
    assert not _problems(_BUNDLE)
    rule = next(each for each in _BUNDLE.rules if each.id == "drops-need-a-fresh-second-factor")
    assert _problems(load_policy({**_FILES, rule.file: _FILES[rule.file].replace(rule.text, "")}, _SURROUNDINGS))


def test_approving_needs_a_second_factor_a_moment_ago() -> None:
    fresh: dict[str, FactValue] = {"requester": "bob", "mfa": True, "auth_time": int(NOW) - 899}
    assert _BUNDLE.may(_CAROL, Action.APPROVE, _VAULT, fresh, NOW)
    for weak in ({"mfa": False}, {"auth_time": int(NOW) - 900}):
        decision = _BUNDLE.decide(_CAROL, Action.APPROVE, _VAULT, {**fresh, **weak}, NOW)
        assert decision.policies == ("approvals-need-a-fresh-second-factor",)
    assert not _BUNDLE.may(_CAROL, Action.APPROVE, _VAULT, {"requester": "bob", "mfa": True}, NOW)


def test_only_these_decisions_about_commands_depend_on_the_time() -> None:
    assert Action.DROP in _BUNDLE.timed
    assert Action.SELECT not in _BUNDLE.timed
