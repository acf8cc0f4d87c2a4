"""Where a path leads, on a host that is a dictionary: folders and files are None, links are their targets."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from interpose.bridges.ssh.sftp.places import Place, Places, target_of_link
from interpose.bridges.ssh.sftp.wire.attributes import PERMISSIONS, Attributes
from interpose.bridges.ssh.sftp.wire.names import BadNameError
from interpose.bridges.ssh.sftp.wire.packets import Status
from interpose.bridges.ssh.sftp.wire.replies import Name, Reply
from interpose.bridges.ssh.sftp.wire.requests import NO_ATTRIBUTES, Operation, Request

HOST: dict[str, str | None] = {
    "/home": None,
    "/home/me": None,
    "/home/me/file": None,
    "/etc": None,
    "/etc/shadow": None,
    "/srv": None,
    "/srv/up": None,
    "/srv/up/etc": "/etc",
    "/srv/up/rel": "../../etc/shadow",
    "/srv/up/chain": "rel",
    "/srv/up/loop": "loop",
    "/srv/up/new": "/etc/made",
    "/srv/up/deep": "nowhere/at/all",
}


async def _ask(requests: Sequence[Request]) -> list[Reply]:
    found = []
    for request in requests:
        path = request.path.decode()
        if path not in HOST:
            found.append(Reply(b"", code=Status.NO_SUCH_FILE))
        elif request.operation is Operation.READLINK:
            found.append(Reply(b"", names=(Name((HOST[path] or "").encode(), b"", NO_ATTRIBUTES),)))
        else:
            mode = 0o120777 if HOST[path] is not None else 0o040755
            found.append(Reply(b"", attributes=Attributes(b"", PERMISSIONS, None, mode)))
    return found


@pytest.mark.parametrize(
    ("path", "follow", "found"),
    [
        ("file", True, Place("/home/me/file", "/home/me/file")),
        ("/srv//up/./", True, Place("/srv/up", "/srv/up")),
        ("/srv/up/etc/shadow", True, Place("/srv/up/etc/shadow", "/etc/shadow")),
        ("/srv/up/etc", False, Place("/srv/up/etc", "/srv/up/etc")),
        ("/srv/up/etc/", False, Place("/srv/up/etc", "/etc")),
        ("/srv/up/chain", True, Place("/srv/up/chain", "/etc/shadow", ("/srv/up", "/srv"))),
        ("/srv/up/new", True, Place("/srv/up/new", "/etc/made")),
        ("/srv/up/fresh", True, Place("/srv/up/fresh", "/srv/up/fresh")),
        ("/srv/up/etc/../x", True, Place("/srv/up/x", "/x", ("/srv/up/etc", "/etc"))),
        ("../../etc/shadow", True, Place("/etc/shadow", "/etc/shadow", ("/home/me", "/home"))),
        ("/none/x", True, Place("/none/x", "/none/x", (), Status.NO_SUCH_FILE)),
        ("/srv/up/loop", True, Place("/srv/up/loop", "/srv/up/loop", (), Status.FAILURE)),
        ("/srv/up/deep", True, Place("/srv/up/deep", "/srv/up/nowhere/at/all", (), Status.NO_SUCH_FILE)),
        ("/", True, Place("/", "/")),
        ("/..", True, Place("/", "/", ("/",))),
    ],
)
async def test_places(path: str, follow: bool, found: Place) -> None:
    assert await Places(_ask, "/home/me").find(path.encode(), follow=follow) == found


async def test_a_host_that_does_not_say_what_a_file_is_is_not_believed() -> None:
    async def silent(requests: Sequence[Request]) -> list[Reply]:
        return [Reply(b"", attributes=NO_ATTRIBUTES) for _ in requests]

    place = await Places(silent, "/home/me").find(b"/etc/x", follow=True)
    assert place.failed == Status.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("target", "found"), [(b"x", "/srv/up/x"), (b"../x", "/srv/x"), (b"/etc/x", "/etc/x"), (b"./a/b/", "/srv/up/a/b")]
)
def test_targets_of_links(target: bytes, found: str) -> None:
    assert target_of_link(target, Place("/srv/up/link", "/srv/up/link")) == found


@pytest.mark.parametrize("target", [b"", b"a/../b", b"/a/../b", b"a\0"])
def test_targets_that_cannot_be_judged(target: bytes) -> None:
    with pytest.raises(BadNameError):
        target_of_link(target, Place("/srv/up/link", "/srv/up/link"))
