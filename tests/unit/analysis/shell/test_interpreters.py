"""Programs that run more than their words say."""

from __future__ import annotations

import pytest

from tests.unit.analysis.shell.reading import kinds


@pytest.mark.parametrize(
    "text",
    [
        "python3 x.py",
        "python3.11 -c 1",
        "perl -e 1",
        "vim x",
        "less x",
        "eval ls",
        ". x",
        "source x",
        "trap ls EXIT",
        "set -- a",
        "printf -v x y",
        "test -v x",
        "awk 'BEGIN { system(\"ls\") }'",
        "awk -f x",
        "awk '{ print > \"x\" }'",
        "sed s/a/b/e",
        "sed 'w x'",
        "sed -f x",
        "sed s/a/b/ x -s -n --expression=e",
        "sed 's/[/]x/w/'",
        "tar cf x --checkpoint-action=exec=ls y",
        "tar cf x --to-c=ls y",
        "tar -Ils -cf x y",
        "rsync -e ls a b:",
        "rsync --rsh=ls a b:",
        "git -c alias.x=!ls x",
        "git unheard",
        "git clone -u ls x",
        "git ls-remote ext::ls",
        "docker run x",
        "docker -H x ps",
        "kubectl exec x",
        "systemctl edit x",
        "systemctl -H x status",
        "crontab x",
        "split --filter=ls x",
        "sort --compress-prog=ls x",
        "/lib64/ld-linux-x86-64.so.2 /bin/ls",
        "ip netns exec x ls",
        "apt-get -o X=y update",
        "sysctl -w kernel.core_pattern=x",
    ],
)
def test_dynamic(text: str) -> None:
    assert kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "awk '{print $1}' x",
        "awk -F: '{print $1}' x",
        "sed -n 1,5p x",
        "sed 's/a/b/g' x",
        "sed -e 's/a/b/' -e '/x/d' y",
        "sed '1d;2d' x",
        "tar czf x y",
        "rsync --server -vlogDtpre.iLsfxCIvu . x",
        "git status",
        "docker ps",
        "systemctl --no-pager status x",
        "set -euo pipefail",
        "printf %s x",
        "[ -f x ]",
        "crontab -l",
        "ip -br addr",
    ],
)
def test_plain(text: str) -> None:
    assert not kinds(text)
