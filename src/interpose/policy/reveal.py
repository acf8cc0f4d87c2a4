"""From what policy says of `reveal` to what is hidden and how.

A forbid of `reveal` is not a refusal, it is masking; so is the absence of a permit. Of several transforms the strictest is taken,
by the order that the masking side gives. A remedy on such a forbid means nothing here: nobody waits for a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from interpose.model.ids import DataClassName, PolicyId
from interpose.model.masks import MaskRule, RevealTable
from interpose.model.resources import ColumnResource
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.classifications import Classifications
from interpose.policy.findings import Finding

DEFAULT_TRANSFORM = "redact"
"""How a value is hidden when neither a policy nor its data class says."""


@dataclass(frozen=True, slots=True)
class RevealAnswers:
    """What policy says of each classified column (with its data classes), each data class, and the texts of definitions.

    None: it cannot be judged.
    """

    columns: Mapping[ColumnResource, tuple[frozenset[DataClassName], Finding | None]]
    content: Mapping[DataClassName, Finding | None]
    definitions: Finding | None = None


def reveal_table(answers: RevealAnswers, classifications: Classifications, masks: MaskVocabulary) -> RevealTable:
    """Every column and data class that may not be shown, with how it is hidden."""
    columns: dict[ColumnResource, MaskRule] = {}
    for column, (classes, finding) in answers.columns.items():
        rule = mask_rule(finding, classes, classifications, masks)
        if rule is not None:
            columns[column] = rule
    content: dict[DataClassName, MaskRule] = {}
    for name, finding in answers.content.items():
        rule = mask_rule(finding, (name,), classifications, masks)
        if rule is not None:
            content[name] = rule
    return RevealTable(columns, content)


def mask_rule(
    finding: Finding | None, classes: Iterable[DataClassName], classifications: Classifications, masks: MaskVocabulary
) -> MaskRule | None:
    """How a value of these classes is hidden; None when it may be shown. What cannot be judged is hidden."""
    if finding is None:
        return MaskRule(DEFAULT_TRANSFORM)
    defaults = [classifications.default_mask(name) or DEFAULT_TRANSFORM for name in classes] or [DEFAULT_TRANSFORM]
    default = masks.strictest(defaults)
    if finding.errors:
        transforms = [DEFAULT_TRANSFORM, default, *(rule.mask for rule in finding.forbids if rule.mask is not None)]
        ids = dict.fromkeys(ident for ident, _ in finding.errors if ident)
        return MaskRule(masks.strictest(transforms), tuple(PolicyId(ident) for ident in ids))
    if finding.forbids:
        transforms = [rule.mask if rule.mask is not None else default for rule in finding.forbids]
        return MaskRule(masks.strictest(transforms), tuple(rule.id for rule in finding.forbids))
    return None if finding.permits else MaskRule(default)
