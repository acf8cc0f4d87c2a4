"""Programs that run another program which stands in their own words: where that begins, and as whom it runs.

The options of each are a closed table. A wrapper with an option that is not in it may mean anything: dynamic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from interpose.analysis.shell.words import Word

_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")


@dataclass(frozen=True, slots=True)
class Wrapper:
    """How one wrapper is used. `flags` and `values` are short options without and with a value; the long ones likewise.

    `before` is how many words stand before the inner program. `variables` says that it takes `NAME=value`. `privileged` that it changes the account.
    """

    flags: str = ""
    values: str = ""
    long_flags: frozenset[str] = frozenset()
    long_values: frozenset[str] = frozenset()
    before: int = 0
    variables: bool = False
    privileged: bool = False
    shell_text: bool = False
    """It joins the inner words with blanks and hands them to a shell."""


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """What a wrapper runs: `words` is empty when it runs nothing. `variables` are the names that it sets.

    `dynamic` is why that cannot be told; then `words` are the best guess, for rules that forbid.
    """

    words: tuple[Word, ...] = ()
    variables: tuple[str, ...] = ()
    run_as: str | None = None
    dynamic: str = ""


def _wrapper(flags: str = "", values: str = "", longs: str = "", long_values: str = "", **more: bool | int) -> Wrapper:
    return Wrapper(
        flags,
        values,
        frozenset(longs.split()),
        frozenset(long_values.split()),
        int(more.get("before", 0)),
        bool(more.get("variables", False)),
        bool(more.get("privileged", False)),
        bool(more.get("shell_text", False)),
    )


WRAPPERS: Mapping[str, Wrapper] = {
    "sudo": _wrapper(
        "AbEHknPS",
        "ugpCT",
        "--askpass --background --preserve-env --set-home --reset-timestamp --non-interactive --preserve-groups --stdin",
        "--user --group --prompt --close-from --command-timeout --preserve-env",
        variables=True,
        privileged=True,
    ),
    "doas": _wrapper("nL", "u", privileged=True),
    "env": _wrapper("i0v", "u", "--ignore-environment --null --debug", "--unset", variables=True),
    "nice": _wrapper("0123456789", "n", "", "--adjustment"),
    "ionice": _wrapper("t", "cn", "--ignore", "--class --classdata"),
    "timeout": _wrapper("fpv", "ks", "--foreground --preserve-status --verbose", "--kill-after --signal", before=1),
    "nohup": _wrapper(),
    "setsid": _wrapper("cfw", "", "--ctty --fork --wait"),
    "stdbuf": _wrapper("", "ioe", "", "--input --output --error"),
    "time": _wrapper("pvqa", "f", "--portability --verbose --quiet", "--format"),
    "command": _wrapper("p"),
    "exec": _wrapper("cl", "a"),
    "builtin": _wrapper(),
    "busybox": _wrapper(),
    "toybox": _wrapper(),
    "eatmydata": _wrapper(),
    "chronic": _wrapper("ve"),
    "ts": _wrapper(),
    "unbuffer": _wrapper("p"),
    "pkexec": _wrapper("", "", "--disable-internal-agent", "--user", privileged=True),
    "watch": _wrapper("tbdegcw", "n", "--no-title --beep --differences --errexit --chgexit --color", "--interval", shell_text=True),
}  # fmt: skip
"""Wrappers that are looked through."""

OPAQUE_WRAPPERS = frozenset(
    "chroot unshare nsenter strace ltrace parallel xargs setpriv capsh fakeroot proot bwrap firejail systemd-run systemd-nspawn machinectl "
    "runuser start-stop-daemon daemonize numactl prlimit valgrind perf faketime rlwrap entr run-parts ssh-agent dbus-run-session "
    "xvfb-run aa-exec sg newgrp logsave torsocks proxychains catchsegv flock gosu chpst setuidgid envdir softlimit su-exec tini dumb-init "
    "taskset chrt setarch linux32 linux64 i386 x86_64 noglob nocorrect - prio chcpu cgexec "
    "choom uclampset runcon systemd-inhibit systemd-cat systemd-socket-activate memusage sotruss openvt switch_root run-init cttyhack".split()
)
"""Wrappers whose inner program runs in another world (another root, namespace, account or argument list) or is hard to find: dynamic, and looked
through by guessing so that rules that forbid still see it."""


def unwrap(name: str, arguments: Sequence[Word]) -> Unwrapped:
    """What a wrapper of `WRAPPERS` runs."""
    spec = WRAPPERS[name]
    run_as = "root" if spec.privileged else None
    at = 0
    while at < len(arguments):
        word = arguments[at]
        text = word.text
        if not text.startswith("-") or (text == "-" and name != "env"):
            break
        if not word.literal:
            return Unwrapped(_guess(arguments), (), run_as, "option")
        if text == "--":
            at += 1
            break
        if text.startswith("--"):
            option, equals, value = text.partition("=")
            separate = not equals and option in spec.long_values and option not in spec.long_flags
            if not (option in spec.long_flags or option in spec.long_values):
                return Unwrapped(_guess(arguments), (), run_as, "option")
            if separate:
                value = arguments[at + 1].text if at + 1 < len(arguments) else ""
            if option == "--user":
                run_as = value
            at += 2 if separate else 1
            continue
        step, account = _short(spec, text, arguments, at)
        if step == 0:
            return Unwrapped(_guess(arguments), (), run_as, "option")
        run_as = account or run_as
        at += step
    variables: list[str] = []
    for _ in range(spec.before):
        if at < len(arguments) and not arguments[at].literal:
            return Unwrapped(_guess(arguments), (), run_as, "option")
        at += 1
    while spec.variables and at < len(arguments) and (found := _VARIABLE.match(arguments[at].text)) is not None:
        variables.append(found[1])
        at += 1
    return Unwrapped(tuple(arguments[at:]), tuple(variables), run_as)


def _short(spec: Wrapper, text: str, arguments: Sequence[Word], at: int) -> tuple[int, str]:
    """How many words a group of short options takes (0: not known), and the account that it names."""
    for index, letter in enumerate(text[1:], 1):
        if letter in spec.flags:
            continue
        if letter not in spec.values:
            return 0, ""
        value = text[index + 1 :]
        step = 1
        if not value:
            if at + 1 >= len(arguments) or not arguments[at + 1].literal:
                return 0, ""
            value, step = arguments[at + 1].text, 2
        return step, value if letter == "u" and spec.privileged else ""
    return 1, ""


def _guess(arguments: Sequence[Word]) -> tuple[Word, ...]:
    """The words from the first that could be a program."""
    for index, word in enumerate(arguments):
        if word.literal and not word.text.startswith("-") and "=" not in word.text:
            return tuple(arguments[index:])
    return ()


def guesses(arguments: Sequence[Word]) -> list[tuple[Word, ...]]:
    """For an opaque wrapper: every place where its inner program could begin."""
    return [
        tuple(arguments[index:])
        for index, word in enumerate(arguments)
        if word.literal and word.text and not word.text.startswith("-")
    ]
