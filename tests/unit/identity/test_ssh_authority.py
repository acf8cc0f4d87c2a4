"""The SSH authorities: three keys, each rotated with the notice that its believers need."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from interpose.app.system import SystemIds
from interpose.identity.authority import FOLDER, LONGEST, Authority
from interpose.identity.ssh_authority import (
    DAY,
    HOST_SECONDS,
    SshAuthority,
    SshRole,
    blob_of,
    known_hosts_line,
    public_key,
)
from interpose.model.errors import StoreError
from tests.support.memory import ManualClock


def authority(state: Path, role: SshRole = SshRole.USER, clock: ManualClock | None = None) -> SshAuthority:
    return SshAuthority(role, state, clock or ManualClock(), SystemIds())


def test_each_role_has_a_key_of_its_own_and_the_x509_roots_are_elsewhere(tmp_path: Path) -> None:
    made = [authority(tmp_path, role) for role in SshRole]
    assert all(each.roots() == [] and each.believed() == [] for each in made)
    keys = {each.signer()[0].blob for each in made}
    assert len(keys) == 3
    assert {authority(tmp_path, role).signer()[0].blob for role in SshRole} == keys
    assert Authority(tmp_path, ManualClock(), SystemIds()).roots() == []
    public, secret = made[0].signer()
    assert public_key(secret) == public


def test_those_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    barrier = threading.Barrier(4)

    def begin() -> None:
        barrier.wait()
        authority(tmp_path).ensure()

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(authority(tmp_path).roots()) == 1


def test_a_new_key_of_users_signs_at_once_and_the_old_one_is_believed_for_a_day(tmp_path: Path) -> None:
    clock = ManualClock()
    made = authority(tmp_path, clock=clock)
    old, _ = made.signer()
    clock.now += 100
    new = made.rotate()
    assert made.signer()[0] == new.public
    assert [root.public for root in made.believed()] == [old, new.public]
    assert b"PRIVATE" not in (tmp_path / FOLDER / "ssh-user-0001.key").read_bytes()
    clock.now += LONGEST + 120
    assert [root.public for root in made.believed()] == [new.public]
    assert made.signer()[0] == new.public


def test_a_new_key_of_hosts_signs_after_a_week_and_is_published_at_once(tmp_path: Path) -> None:
    clock = ManualClock()
    made = authority(tmp_path, SshRole.HOST, clock)
    old, _ = made.signer()
    new = made.rotate()
    assert made.signer()[0] == old
    assert [root.public for root in made.believed()] == [old, new.public]
    clock.now += 7 * DAY
    assert made.signer()[0] == new.public
    assert [root.public for root in made.believed()] == [old, new.public]
    clock.now += HOST_SECONDS + 120
    assert [root.public for root in made.believed()] == [new.public]


def test_a_key_that_was_stolen_is_not_believed_any_more(tmp_path: Path) -> None:
    made = authority(tmp_path, SshRole.HOST)
    made.signer()
    made.rotate()
    new = made.rotate(at_once=True)
    assert [root.public for root in made.believed()] == [new.public]
    assert made.signer()[0] == new.public
    assert [root.key is None for root in made.roots()] == [True, True, False]


def test_damaged_lost_and_open_keys_are_told(tmp_path: Path) -> None:
    made = authority(tmp_path)
    made.signer()
    file = tmp_path / FOLDER / "ssh-user-0001.key"
    text = file.read_text()
    other = authority(tmp_path / "other")
    other.signer()
    foreign = (tmp_path / "other" / FOLDER / "ssh-user-0001.key").read_text()
    for broken in (
        "",
        "nothing\n",
        text.replace("made=", "made=x"),
        text[:-40],
        text.split("\n")[0] + foreign[foreign.index("\n") :],
    ):
        file.write_text(broken)
        with pytest.raises(StoreError, match="damaged"):
            made.roots()
    file.write_text(text.split("\n")[0] + "\n")
    with pytest.raises(StoreError, match="lost its key"):
        made.signer()
    file.write_text(text)
    file.chmod(0o640)
    with pytest.raises(StoreError, match="read by others"):
        made.signer()


def test_the_line_of_known_hosts(tmp_path: Path) -> None:
    made = authority(tmp_path, SshRole.HOST)
    public, _ = made.signer()
    line = known_hosts_line(made.roots()[0], ["gw.example.com", "[gw.example.com]:2222"])
    assert line == f"@cert-authority gw.example.com,[gw.example.com]:2222 {public.line}"
    assert blob_of(public.line) == public.blob
