"""From files to a snapshot: configuration, policy, classifications and principals, checked together, all or nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from interpose.app.config import read_settings
from interpose.app.policy_tests import run_policy_tests
from interpose.app.protocols import SPOKEN
from interpose.app.providers import descriptions
from interpose.app.revision import Revision, revision_of
from interpose.app.settings import Settings
from interpose.engine.limits import Limits
from interpose.engine.snapshot import Snapshot
from interpose.identity.principals import Principals, read_principals
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.masking.strictness import strictest
from interpose.masking.transforms import parse_transform
from interpose.model.errors import ConfigurationError, Problem
from interpose.model.ids import SnapshotDigest
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.bundle import PolicyBundle
from interpose.policy.folder import read_folder
from interpose.policy.load import Surroundings, load_policy

MASKS = MaskVocabulary(strictest, parse_transform)
"""What the masking side understands, for policy's check of `@mask`."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One version of everything: the settings, the snapshot made of them, and how many policy tests passed.

    `revision` is that of the policy folder when it is a git checkout.
    """

    settings: Settings
    snapshot: Snapshot
    principals: Principals
    tests: int
    revision: Revision = Revision()


def load(config: Path) -> Loaded:
    """Read and check everything that the configuration names, and run the policy's own tests.

    Raises `ConfigurationError` with all problems of all files; a failing policy test is a problem like any other.
    """
    settings = read_settings(config, SPOKEN)
    problems: list[Problem] = []
    principals: Principals | None = None
    policy: PolicyBundle | None = None
    files: dict[str, str] = {}
    try:
        principals = read_principals(settings.principals)
    except ConfigurationError as error:
        problems += _problems(error)
    try:
        files = read_folder(settings.policy)
        policy = load_policy(files, surroundings(settings))
    except ConfigurationError as error:
        problems += _problems(error)
    tests = 0
    if policy is not None and principals is not None:
        report = run_policy_tests(policy, files, principals, settings.connections)
        tests = report.passed
        problems += report.problems
    if problems or policy is None or principals is None:
        count = len(problems)
        raise ConfigurationError(
            f"{count} problem{'s' if count > 1 else ''} in what `{config}` names",
            problems=tuple(problems),
            hint="nothing of it is served",
        )
    digest = _digest(policy, settings.text, principals.text, *descriptions(settings.identity.providers))
    snapshot = Snapshot(
        connections={connection.name: connection for connection in settings.connections},
        policy=policy.stamped(digest),
        principals=principals,
        limits=Limits(
            sessions=settings.limits.sessions,
            sessions_per_principal=settings.limits.sessions_per_principal,
            max_message=settings.limits.max_message,
            max_buffer=settings.limits.max_buffer,
        ),
        digest=digest,
    )
    return Loaded(settings, snapshot, principals, tests, revision_of(settings.policy))


def surroundings(settings: Settings) -> Surroundings:
    """What the policy folder is loaded into."""
    return Surroundings(MASKS, frozenset(CONTENT_CLASSES), settings.connections)


def _problems(error: ConfigurationError) -> list[Problem]:
    if error.problems:
        return list(error.problems)
    return [Problem(error.public_message, hint="; ".join(part for part in (error.detail, error.hint) if part))]


def _digest(policy: PolicyBundle, *texts: str) -> SnapshotDigest:
    """INVARIANT: of the very texts that the snapshot is made of. A file that is read again for its digest may have changed since: the
    snapshot would then bear the name of the next one, and the reload that brings that would find nothing to do."""
    digest = hashlib.sha256(b"interpose snapshot 1\n" + policy.digest.encode())
    for text in texts:
        data = text.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return SnapshotDigest(digest.hexdigest())
