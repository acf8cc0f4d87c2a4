"""Loading: the contents of a policy folder to a `PolicyBundle`, or every fault of every file at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cedarpy

from interpose.model.connection import Connection
from interpose.model.errors import ConfigurationError, Problem
from interpose.model.ids import DataClassName
from interpose.policy import builtin
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.attributes import read_attributes
from interpose.policy.bundle import PolicyBundle
from interpose.policy.check import check_policies
from interpose.policy.classifications import Classifications, read_classifications
from interpose.policy.names import connection_uid, label_uid
from interpose.policy.parsing import parse_policies
from interpose.policy.schema import schema_text
from interpose.policy.yaml_text import nearest

CLASSIFICATIONS = "classifications.yaml"
"""The file of classifications."""
ATTRIBUTES = "attributes.yaml"
"""The file of declared principal attributes."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a policy folder is loaded into.

    `masks` is what the masking side understands, `detector_classes` what its content detectors find. `connections` are all that are
    configured, so that a policy about one that does not exist is a fault; None when they are not known.
    """

    masks: MaskVocabulary
    detector_classes: frozenset[DataClassName] = frozenset()
    connections: tuple[Connection, ...] | None = None


def load_policy(files: Mapping[str, str], surroundings: Surroundings) -> PolicyBundle:
    """The bundle of these files (path within the folder to text); raises `ConfigurationError` with every problem.

    `*.cedar` are policies, at any depth; `classifications.yaml` and `attributes.yaml` may be absent. `tests/*.yaml` are read by
    `cases.read_cases`, and are not part of the digest: a test changes no decision.
    """
    problems: list[Problem] = []
    cedar = {path: text for path, text in files.items() if path.endswith(".cedar")}
    for path in files:
        if path not in cedar and path not in (CLASSIFICATIONS, ATTRIBUTES) and not _is_test(path):
            hint = nearest(path, (CLASSIFICATIONS, ATTRIBUTES, "tests/….yaml", "….cedar"))
            problems.append(Problem("this file means nothing here", file=path, hint=hint))
    if not cedar:
        problems.append(Problem("there is no policy: nobody could do anything", hint="add a `*.cedar` file"))
    attributes = read_attributes(files.get(ATTRIBUTES, ""), ATTRIBUTES, problems)
    names = None if surroundings.connections is None else frozenset(each.name for each in surroundings.connections)
    classifications = read_classifications(
        files.get(CLASSIFICATIONS, ""),
        CLASSIFICATIONS,
        surroundings.masks,
        surroundings.detector_classes,
        names,
        problems,
    )
    policies = parse_policies({**cedar, builtin.FILE: builtin.TEXT}, surroundings.masks, problems)
    schema = cedarpy.Schema.from_str(schema_text(attributes))
    check_policies(policies, schema, attributes, _known(classifications, surroundings), problems)
    if problems:
        count = len(problems)
        raise ConfigurationError(
            f"the policy has {count} problem{'s' if count > 1 else ''}",
            problems=tuple(sorted(problems, key=_order)),
            hint="nothing of it was loaded",
        )
    return PolicyBundle(
        policies,
        classifications,
        attributes,
        surroundings.masks,
        surroundings.detector_classes,
        digest_of(files),
    )


def digest_of(files: Mapping[str, str]) -> str:
    """SHA-256 (hex) over the paths and texts of all files that can change a decision; each length-prefixed."""
    digest = hashlib.sha256(b"interpose policy 2\n" + builtin.TEXT.encode())
    for path in sorted(files):
        if not _is_test(path):
            for part in (path, files[path]):
                data = part.encode("utf-8", "surrogatepass")
                digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _is_test(path: str) -> bool:
    return path.startswith("tests/") and path.endswith((".yaml", ".yml"))


def _known(classifications: Classifications, surroundings: Surroundings) -> dict[str, frozenset[str]]:
    known: dict[str, frozenset[str]] = {
        "DataClass": frozenset({*classifications.classes, *surroundings.detector_classes, builtin.DEFINITIONS})
    }
    if surroundings.connections is not None:
        known["Connection"] = frozenset(connection_uid(each.name)[1] for each in surroundings.connections)
        known["Label"] = frozenset(_labels(surroundings.connections))
    return known


def _labels(connections: Iterable[Connection]) -> Iterable[str]:
    for connection in connections:
        for key, value in connection.labels.items():
            yield label_uid(key, value)[1]


def _order(problem: Problem) -> tuple[str, int, int]:
    return (problem.file, problem.line or 0, problem.column or 0)
