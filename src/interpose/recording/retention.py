"""What is old enough to be deleted: a plan, computed from facts about what is kept. Deletes nothing itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from interpose.recording.chain import ChainHead

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """How long things are kept, in days; None keeps them for ever.

    `audit_days` counts from a chain's last entry. An audit chain must outlive the recordings that it vouches for.
    """

    recording_days: float | None = 90.0
    audit_days: float | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` for rules that would delete the proof before what it proves."""
        if self.audit_days is not None and (self.recording_days is None or self.audit_days < self.recording_days):
            raise ValueError("audit chains must be kept at least as long as recordings")


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """A recording as it lies there; `sealed_at` is wall-clock seconds of its end, None while it is not sealed."""

    session: str
    sealed_at: float | None


@dataclass(frozen=True, slots=True)
class KeptChain:
    """An ended chain; `last_at` is wall-clock seconds of its last entry, None when that cannot be read."""

    head: ChainHead
    last_at: float | None


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What is to be deleted."""

    recordings: tuple[KeptRecording, ...]
    chains: tuple[KeptChain, ...]


def plan_retention(
    recordings: Iterable[KeptRecording], chains: Iterable[KeptChain], rules: RetentionRules, now: float
) -> RetentionPlan:
    """What these rules delete at `now` (wall-clock seconds). What is not sealed, alive or unreadable is kept."""
    return RetentionPlan(
        tuple(recording for recording in recordings if _older(recording.sealed_at, rules.recording_days, now)),
        tuple(chain for chain in chains if _older(chain.last_at, rules.audit_days, now)),
    )


def _older(at: float | None, days: float | None, now: float) -> bool:
    return at is not None and days is not None and now - at > days * DAY
