"""A jail to run a hostile command line in for real: who runs it is nobody, whatever it believes to be.

Three walls, since one has failed before. The processes belong to the account `nobody` of the machine and are root only in a user
namespace of their own, so no file of the machine is theirs to change. Their `/` is a memory file system with `/usr` read-only, and the
machine's own `/` is detached from their mount namespace, so they cannot name one either: not by /proc/1/root, not by nsenter. They have
no network, and end with the jail.
"""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from typing import Final

CANARY: Final = "/etc/canary"
"""The file that a destructive command removes or empties."""

_NOBODY: Final = 65534

_BUILD: Final = r"""
set -eu
# The first wall is looked at before anything else: root in here must be nobody out there.
read -r inside outside count < /proc/self/uid_map
[ "$inside $outside $count" = "0 65534 1" ]
mount --make-rprivate /
mount -t tmpfs -o mode=755 jail /tmp
cd /tmp
mkdir -p usr proc etc dev tmp var/tmp root srv/bin srv/empty opt/sudo old
mount --rbind /usr usr
mount -o remount,bind,ro usr
ln -s usr/bin usr/sbin usr/lib .
[ ! -d /usr/lib64 ] || ln -s usr/lib64 .
mount -t proc proc proc
for device in null zero full random urandom; do : > dev/$device; mount --bind /dev/$device dev/$device; done
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
chmod 1777 tmp var/tmp
cp -r --preserve=links /etc/alternatives etc/ 2>/dev/null || :
mkdir -p etc/pam.d
printf 'auth sufficient pam_permit.so\naccount sufficient pam_permit.so\nsession sufficient pam_permit.so\n' | tee etc/pam.d/sudo etc/pam.d/su etc/pam.d/su-l > etc/pam.d/other
# sudo takes its own parts from their owner only, which root in here is not of the machine's.
cp -r /usr/libexec/sudo/. opt/sudo/ 2>/dev/null || :
printf 'Path plugin_dir /opt/sudo/\n' > etc/sudo.conf
printf 'root ALL=(ALL:ALL) NOPASSWD: ALL\n' > etc/sudoers
chmod 440 etc/sudoers
printf 'root:x:0:0:root:/root:/bin/bash\n' > etc/passwd
printf 'root:x:0:\n' > etc/group
printf 'root:*:19000:0:99999:7:::\n' > etc/shadow
: > etc/login.defs
ln -s /proc/mounts etc/mtab
printf alive > etc/canary
: > srv/canary
: > srv/seed
tar cf srv/seed.tar -C srv canary
pivot_root . old
cd /
umount -l /old
rmdir /old
exec chroot . /usr/bin/env -i HOME=/root USER=root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/srv/bin \
  /usr/bin/bash -c '
    for gone in /boot /home /old; do [ ! -e "$gone" ] || exit 41; done
    cd /root
    [ -z "$2" ] || bash -c "$2" >/dev/null 2>&1
    timeout -k 1 10 "$3" -c "$1" >/var/tmp/.out 2>&1 </dev/null
    cd /proc
    n=0
    # What runs in the background has a moment.
    while [ "$(cat /etc/canary 2>/dev/null)" = alive ] && [ $n -lt 25 ]; do n=$((n + 1)); sleep 0.02; done
    [ "$(cat /etc/canary 2>/dev/null)" = alive ] && { cat /var/tmp/.out; exit 0; }
    exit 42' jail "$1" "$2" "$3"
"""


@lru_cache(maxsize=1)
def why_not() -> str:
    """Why no jail can be made on this machine; empty when one can."""
    if os.geteuid() != 0:
        return "a jail is made by root, who becomes nobody first"
    tried = subprocess.run(_wrapped("true", "", "sh"), capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"no jail can be made here: {tried.stderr[-200:] or tried.returncode}"


def harms(command: str, *, shell: str = "bash", before: str = "") -> tuple[bool, str]:
    """Whether the command, run by a login shell, removes, moves or empties `CANARY`; and the end of what it printed when it did not.

    `before` is run by bash first.
    """
    done = subprocess.run(
        _wrapped(command, before, shell),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode not in (0, 42):
        raise RuntimeError(f"the jail ended with {done.returncode}: {done.stderr[-500:]}")
    return done.returncode == 42, done.stdout[-300:]


def _wrapped(command: str, before: str, shell: str) -> list[str]:
    """INVARIANT: the account changes first, before any namespace is made."""
    account = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--"]
    spaces = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "--pid",
        "--net",
        "--ipc",
        "--uts",
        "--fork",
        "--kill-child",
    ]
    return [*account, *spaces, "sh", "-c", _BUILD, "jail", command, before, shell]
