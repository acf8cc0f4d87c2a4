"""Which changes a reload applies and which need a restart, and which files are watched."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from interpose.app.reload import Reloader, needs_restart
from interpose.app.settings import AuditSettings, LimitSettings, RecordingSettings, Settings


def settings() -> Settings:
    """Some settings."""
    return Settings(Path("/c.yaml"), Path("/state"), Path("/policy"), Path("/principals.yaml"), (), ())


def test_nothing_changed_needs_nothing() -> None:
    assert needs_restart(settings(), settings()) == []


def test_what_a_reload_applies_needs_no_restart() -> None:
    new = replace(
        settings(),
        policy=Path("/other"),
        principals=Path("/others.yaml"),
        limits=LimitSettings(sessions=7, max_message=100),
        recording=RecordingSettings(retention=1.0),
        audit=AuditSettings(retention=2.0),
    )
    assert needs_restart(settings(), new) == []


def test_what_it_cannot_apply_is_named() -> None:
    new = replace(
        settings(),
        workers=2,
        state=Path("/elsewhere"),
        limits=LimitSettings(handshake=1.0),
        recording=RecordingSettings(result_cap=1),
        audit=AuditSettings(checkpoint_copy=Path("/copy")),
    )
    assert needs_restart(settings(), new) == ["audit", "limits", "recording", "state", "workers"]


class Watched(Reloader):
    """Counts reloads in their place."""

    def __init__(self, settings: Settings) -> None:
        first: Any = type("Loaded", (), {"settings": settings})()
        nothing: Any = None
        super().__init__(first, nothing, nothing, nothing)
        self.causes: list[str] = []
        self.more = asyncio.Condition()

    async def quietly(self, cause: str) -> None:
        async with self.more:
            self.causes.append(cause)
            self.more.notify_all()


async def becomes(reloader: Watched, count: int) -> None:
    async with asyncio.timeout(20):
        async with reloader.more:
            await reloader.more.wait_for(lambda: len(reloader.causes) >= count)


async def test_what_a_snapshot_is_made_of_is_watched_and_the_records_beside_it_are_not(tmp_path: Path) -> None:
    policy, audit = tmp_path / "policy", tmp_path / "state" / "audit"
    (policy / "team").mkdir(parents=True)
    audit.mkdir(parents=True)
    reloader = Watched(Settings(tmp_path / "c.yaml", tmp_path / "state", policy, tmp_path / "principals.yaml", (), ()))
    stop = asyncio.Event()
    watch = asyncio.create_task(reloader.watch(stop))
    await asyncio.sleep(0.3)
    try:
        (audit / "chain").write_text("a statement")
        await asyncio.sleep(0.6)
        assert reloader.causes == []
        for index, changed in enumerate(
            (tmp_path / "c.yaml", tmp_path / "principals.yaml", policy / "team" / "a.cedar")
        ):
            changed.write_text("changed")
            await becomes(reloader, index + 1)
            await asyncio.sleep(0.4)
        # A deployment that puts another folder in the place of the old one.
        deployed = tmp_path / "deployed"
        deployed.mkdir()
        policy.rename(tmp_path / "old")
        deployed.rename(policy)
        before = len(reloader.causes)
        await becomes(reloader, before + 1)
        await asyncio.sleep(0.6)
        before = len(reloader.causes)
        (policy / "b.cedar").write_text("changed")
        await becomes(reloader, before + 1)
        assert not stop.is_set()
    finally:
        stop.set()
        await watch
