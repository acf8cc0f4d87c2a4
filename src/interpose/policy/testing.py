"""Running policy tests: each case judged, and a clear difference where it comes out otherwise.

Knows nothing of SQL or shells: what a command would do comes from `analyse`, which whoever wires the house gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from interpose.model.analysis import Analysis, Effect
from interpose.model.command import Command
from interpose.model.connection import Connection
from interpose.model.decisions import Decision, Forbidden, Held, Permitted
from interpose.model.masks import RevealTable
from interpose.model.principal import Principal
from interpose.model.refusal import Refusal
from interpose.model.resources import ColumnResource
from interpose.policy.acting import person_named
from interpose.policy.bundle import PolicyBundle
from interpose.policy.cases import Case, CaseConnection, CaseFile
from interpose.policy.explain import Explanation, decision_line, explain, render
from interpose.policy.names import describe

Analyse = Callable[[CaseConnection, str | Command], Analysis | Refusal]
"""What a command on a connection would do, or why it is refused before policy is asked."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of one case. `differences` are lines of expected and got; empty when it passed.

    `why` is the explanation of what came out, None when policy was not asked.
    """

    case: Case
    differences: tuple[str, ...]
    why: Explanation | None = None

    @property
    def passed(self) -> bool:
        """Whether everything came out as expected."""
        return not self.differences


def run_cases(
    bundle: PolicyBundle,
    files: Iterable[CaseFile],
    principals: Callable[[str], Principal | None],
    connections: Mapping[str, Connection],
    analyse: Analyse,
) -> tuple[CaseResult, ...]:
    """Every case of these files, in order.

    `principals` finds one by name. A connection that a test file declares comes before one of `connections` with the same name.
    """
    return tuple(_run(bundle, case, file, principals, connections, analyse) for file in files for case in file.cases)


def _run(
    bundle: PolicyBundle,
    case: Case,
    file: CaseFile,
    principals: Callable[[str], Principal | None],
    connections: Mapping[str, Connection],
    analyse: Analyse,
) -> CaseResult:
    principal = case.principal if isinstance(case.principal, Principal) else principals(case.principal)
    if principal is None:
        return CaseResult(case, (f"there is no principal `{case.principal}`",))
    on = file.connections.get(case.connection)
    if on is None:
        configured = connections.get(case.connection)
        if configured is None:
            return CaseResult(case, (f"there is no connection `{case.connection}`",))
        on = CaseConnection(configured)
    analysed = analyse(on, case.command)
    if isinstance(analysed, Refusal):
        return CaseResult(case, tuple(_refused(case, analysed)))
    unknown = case.approved - {rule.id for rule in bundle.rules}
    if unknown:
        return CaseResult(case, (f"approved: there is no policy {_listed(unknown)}",))
    person = person_named(principals, principal.acting_for)
    if principal.acting_for is not None and person is None:
        return CaseResult(case, (f"there is no user `{principal.acting_for}` for whom `{principal.name}` acts",))
    why = explain(bundle, principal, on.connection, analysed, case.facts, case.now, lifted=case.approved, person=person)
    differences = [
        *_decision_differences(case, why.decision),
        *_effect_differences(case, analysed.effects),
        *_reveal_differences(case, why.reveal),
    ]
    return CaseResult(case, tuple(differences), why)


def _refused(case: Case, refusal: Refusal) -> Iterable[str]:
    """A command that never reaches policy is a refusal all the same."""
    if case.expect.decision != "forbid":
        yield _difference("decision", case.expect.decision, f"forbid, {refusal.code}: {refusal.message}")
    if case.expect.code is not None and case.expect.code != refusal.code:
        yield _difference("code", case.expect.code, refusal.code)
    if case.expect.policies:
        yield _difference("policies", _listed(case.expect.policies), "none: policy was not asked")


def _decision_differences(case: Case, decision: Decision) -> Iterable[str]:
    expect = case.expect
    word = "permit" if isinstance(decision, Permitted) else "hold" if isinstance(decision, Held) else "forbid"
    if word != expect.decision:
        yield _difference("decision", expect.decision, decision_line(decision))
    if expect.policies is not None and frozenset(decision.policies) != expect.policies:
        yield _difference("policies", _listed(expect.policies), _listed(decision.policies))
    if expect.code is not None:
        code = decision.code if isinstance(decision, Forbidden) else "none"
        if code != expect.code:
            yield _difference("code", expect.code, code)
    if expect.approvers is not None:
        approvers = {rule.approvers for rule in decision.approvals} if isinstance(decision, Held) else set()
        if approvers != expect.approvers:
            yield _difference("approvers", _listed(expect.approvers), _listed(approvers))
    if expect.observed is not None and frozenset(decision.observed) != expect.observed:
        yield _difference("observed", _listed(expect.observed), _listed(decision.observed))
    if expect.max_rows is not None:
        cap = decision.obligations.max_rows if isinstance(decision, Permitted) else None
        if cap != expect.max_rows:
            yield _difference("max_rows", str(expect.max_rows), "no cap" if cap is None else str(cap))


def _effect_differences(case: Case, effects: tuple[Effect, ...]) -> Iterable[str]:
    got = {f"{effect.action.value} {describe(effect.resource)}" for effect in effects}
    missing = [each for each in case.expect.effects if each not in got]
    if missing:
        yield _difference("effects", _listed(missing), _listed(got))


def _reveal_differences(case: Case, reveal: RevealTable) -> Iterable[str]:
    for column, transform in case.expect.masks.items():
        rule = reveal.columns.get(column)
        got = "shown in the clear" if rule is None else rule.transform
        if got != transform:
            yield _difference(f"mask of {_spelled(column)}", transform, got)
    for name, transform in case.expect.content.items():
        rule = reveal.content.get(name)
        got = "shown in the clear" if rule is None else rule.transform
        if got != transform:
            yield _difference(f"mask of detected {name}", transform, got)
    for column in case.expect.clear:
        rule = reveal.columns.get(column)
        if rule is not None:
            yield _difference(f"mask of {_spelled(column)}", "shown in the clear", rule.transform)


def _difference(what: str, expected: str, got: str) -> str:
    return f"{what}: expected {expected}, got {got}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "none"


def _spelled(column: ColumnResource) -> str:
    return f"{column.schema}.{column.table}.{column.name}"


def _asked(case: Case) -> str:
    command = case.command
    return command if isinstance(command, str) else f"{command.kind.value}: {command.text}".rstrip(": ")


def render_failure(result: CaseResult) -> str:
    """A failed case for a terminal: where it stands, what differs, and why it came out so."""
    lines = [f"{result.case.file}:{result.case.line}: {result.case.name}", f"  command: {_asked(result.case)}"]
    lines += [f"  {difference}" for difference in result.differences]
    if result.why is not None:
        lines.append("  why:")
        lines += [f"    {line}" for line in render(result.why).splitlines()]
    return "\n".join(lines) + "\n"
