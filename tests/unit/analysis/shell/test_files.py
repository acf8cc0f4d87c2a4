"""Programs that are known to use the files that they are given."""

from __future__ import annotations

import pytest

from interpose.analysis.shell.files import handler
from interpose.model.actions import Action
from tests.unit.analysis.shell.reading import kinds, paths

_READ, _WRITE, _REMOVE = Action.READ_FILE, Action.WRITE_FILE, Action.REMOVE_FILE


@pytest.mark.parametrize(
    ("text", "action", "expected"),
    [
        ("cat /a /b", _READ, ["/a", "/b"]),
        ("head -n 5 /a", _READ, ["/a"]),
        ("head -n5 -- -x", _READ, ["/home/me/-x"]),
        ("tail --lines 5 /a", _READ, ["/a"]),
        ("grep -r x /a", _READ, ["/a **"]),
        ("grep -e x /a", _READ, ["/a"]),
        ("grep -f /p /a", _READ, ["/a", "/p"]),
        ("sort -o /a /b", _WRITE, ["/a"]),
        ("sort --outp=/a /b", _WRITE, ["/a"]),
        ("uniq /a /b", _WRITE, ["/b"]),
        ("ls -l /a", Action.LIST_FILES, ["/a"]),
        ("tee -a /a", _WRITE, ["/a"]),
        ("mkfs.ext4 /dev/sda", _WRITE, ["/dev/sda"]),
        ("dd if=/a of=/b bs=1", _READ, ["/a"]),
        ("dd if=/a of=/b bs=1", _WRITE, ["/b"]),
        ("cp -r /a /b", _READ, ["/a **"]),
        ("cp -r /a /b", _WRITE, ["/b **", "/b/a **"]),
        ("cp -t /b /a", _WRITE, ["/b", "/b/a"]),
        ("cp --target=/b /a", _WRITE, ["/b", "/b/a"]),
        ("cp /x/* /y", _WRITE, ["/x?", "/y", "/y/y"]),
        ("mv /a /b", Action.RENAME_FILE, ["/a **"]),
        ("mv /a /b", _WRITE, ["/b **", "/b/a **"]),
        ("ln -s /a /b", Action.LINK_FILE, ["/b", "/b/a"]),
        ("ln -s /a", Action.LINK_FILE, ["/home/me", "/home/me/a"]),
        ("rmdir /a", _REMOVE, ["/a"]),
        ("unlink /a", _REMOVE, ["/a"]),
        ("truncate -s 0 /a", _WRITE, ["/a"]),
        ("tar xf /a -C /b", _WRITE, ["/b **"]),
        ("tar -czf /a /b", _WRITE, ["/a"]),
        ("tar czf /a --remove-files /b", _REMOVE, ["/home/me/czf **", "/a **", "/b **"]),
        ("rsync --server -logDtpre.iLsfxCIvu . /a", _WRITE, ["/a **"]),
        ("rsync --server --sender -logDtpre.iLsfxCIvu . /a", _READ, ["/a **"]),
        ("rsync -a --delete /a/ /b/", _REMOVE, ["/a **", "/b **"]),
        ("rsync -a host:/a /b", _WRITE, ["/b **"]),
        ("rsync --server --sender -e.LsfxC /etc shadow", _READ, ["/etc/shadow **"]),
        ("rsync --server --sender -re.LsfxC /etc", _READ, ["/etc **"]),
        ("rsync --server -e.LsfxC /etc x", _WRITE, ["/etc/x **"]),
        ("rsync --server -e.LsfxC ~/a x*", _WRITE, ["/home/me/a? **"]),
        ("rsync --server -e.LsfxC /a* x", _WRITE, ["?? **"]),
        ("scp -t /a", _WRITE, ["/a"]),
        ("git-upload-pack '~/a'", _READ, ["/home/me/a **"]),
        ("git-upload-pack '~root/a'", _READ, ["?? **"]),
        ("git upload-pack /a", _READ, ["/a **"]),
        ("grep -r x", _READ, ["/home/me **"]),
        ("grep -d recurse x /a", _READ, ["/a **"]),
        ("grep --deref x /a", _READ, ["/a **"]),
        ("diff /a/x /b", _READ, ["/a/x", "/b", "/a/x/b", "/b/x"]),
        ("diff --from-file=/a /b/x", _READ, ["/b/x", "/a", "/b/x/a", "/a/x"]),
        ("csplit -f /a/x /b 1", _WRITE, ["/a/x", "/a?"]),
        ("split /b /a/x", _WRITE, ["/a/x", "/a?"]),
        ("tar xPf /a -C /b", _WRITE, ["/b **", "/ **"]),
        ("scp -f -r /a", _READ, ["/a **"]),
        ("git-upload-pack '/a'", _READ, ["/a **"]),
        ("git-receive-pack '/a'", _WRITE, ["/a **"]),
        ("find /a -delete", _REMOVE, ["/a **"]),
        ("sed -i s/a/b/ /a", _WRITE, ["/a"]),
        ("ls > /a 2>&1", _WRITE, ["/a"]),
        ("ls < /a", _READ, ["/a"]),
    ],
)
def test_what_a_program_does_to_which_file(text: str, action: Action, expected: list[str]) -> None:
    assert paths(text, action) == expected


def test_modes_and_owners_count_as_paths_rather_than_being_missed() -> None:
    assert "/a" in paths("chmod 600 /a", Action.CHANGE_FILE)
    assert "/a" in paths("chown --reference=/b /a", Action.CHANGE_FILE)


def test_where_a_rename_leads_is_told() -> None:
    from tests.unit.analysis.shell.reading import effects

    renamed = [each for each in effects("mv /a /b") if each.action is Action.RENAME_FILE]
    assert renamed[0].facts["path_to"] == "/b"


def test_copying_to_elsewhere_is_a_connection() -> None:
    assert kinds("scp /a host:/b") == ["remote"]


def test_unknown_programs_have_no_handler() -> None:
    assert handler("frobnicate") is None
    assert handler("mkfs.xfs") is not None
