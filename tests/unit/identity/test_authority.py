"""The built-in authority: made once, for its owner alone, rotated whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from interpose.app.system import SystemIds
from interpose.identity.authority import FOLDER, LONGEST, Authority, pem
from interpose.model.errors import StoreError
from tests.support.memory import ManualClock


def authority(state: Path, clock: ManualClock | None = None) -> Authority:
    return Authority(state, clock or ManualClock(), SystemIds())


def files(state: Path) -> list[Path]:
    return sorted((state / FOLDER).iterdir())


def test_the_first_root_is_made_once(tmp_path: Path) -> None:
    made = authority(tmp_path)
    assert made.roots() == []
    assert made.bundle() == ""
    made.ensure()
    made.ensure()
    assert [path.name for path in files(tmp_path)] == ["root-0001.pem"]
    certificate, key = authority(tmp_path).signer()
    assert made.bundle() == pem(certificate)
    assert key.public_key() == certificate.public_key()


def test_two_that_begin_at_once_have_one_root(tmp_path: Path) -> None:
    barrier = threading.Barrier(4)

    def begin() -> None:
        barrier.wait()
        authority(tmp_path).ensure()

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.name for path in files(tmp_path)] == ["root-0001.pem"]


def test_a_root_can_only_sign_certificates_of_clients(tmp_path: Path) -> None:
    made = authority(tmp_path)
    certificate, _ = made.signer()
    extensions = certificate.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value) == (True, x509.BasicConstraints(ca=True, path_length=0))
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    names = extensions.get_extension_for_class(x509.NameConstraints)
    assert names.critical
    assert [each.value for each in names.value.permitted_subtrees or ()] == ["principal"]
    certificate.verify_directly_issued_by(certificate)


def test_its_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    made = authority(tmp_path)
    made.ensure()
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o640)
    with pytest.raises(StoreError, match="can be read by others"):
        made.signer()
    file.chmod(0o600)
    file.write_text("nothing")
    with pytest.raises(StoreError, match="damaged"):
        made.roots()


def test_a_new_root_signs_after_a_moment_and_the_old_one_is_believed_for_a_day(tmp_path: Path) -> None:
    clock = ManualClock()
    made = authority(tmp_path, clock)
    old, _ = made.signer()
    clock.now += 3600
    new = made.rotate().certificate
    assert made.bundle() == pem(old) + pem(new)
    assert made.signer()[0] == old  # not every worker believes the new one yet
    clock.now += 11
    assert made.signer()[0] == new
    assert b"PRIVATE" not in files(tmp_path)[0].read_bytes()
    assert made.bundle() == pem(old) + pem(new)
    clock.now += LONGEST
    assert pem(old) in made.bundle()
    clock.now += 120
    assert made.bundle() == pem(new)
    assert made.signer()[0] == new


def test_a_lost_key_is_told(tmp_path: Path) -> None:
    made = authority(tmp_path)
    certificate, _ = made.signer()
    files(tmp_path)[0].write_text(pem(certificate))
    with pytest.raises(StoreError, match="lost its key"):
        made.signer()


def test_what_is_no_root_is_passed_over(tmp_path: Path) -> None:
    made = authority(tmp_path)
    made.ensure()
    (tmp_path / FOLDER / ".root-0002.pem.1.abcd").write_text("half a ro")
    assert len(made.roots()) == 1
    assert made.rotate().number == 2


LOOP = """
import sys
from pathlib import Path
from interpose.app.system import SystemClock, SystemIds
from interpose.identity.authority import Authority
authority = Authority(Path(sys.argv[1]), SystemClock(), SystemIds())
print("ready", flush=True)
while True:
    authority.rotate()
"""


@pytest.mark.slow
def test_a_rotation_that_is_killed_leaves_whole_roots(tmp_path: Path) -> None:
    for delay in (0.0, 0.003, 0.007, 0.011, 0.02, 0.05):
        process = subprocess.Popen([sys.executable, "-c", LOOP, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        made = Authority(tmp_path, ManualClock(), SystemIds())
        roots = made.roots()
        assert all(root.key is not None for root in roots)
        assert [root.number for root in roots] == list(range(1, len(roots) + 1))
        assert made.rotate().number == len(roots) + 1
