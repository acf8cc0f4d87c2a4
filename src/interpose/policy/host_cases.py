"""Commands of SSH in policy tests: a case says `exec`, `file`, `forward`, `shell`, `managed_shell`, `pty`, `env` or `subsystem` where one of SQL says `command`.

exec: rm -rf /                           # a command line
file: {write: /etc/passwd, size: 10}     # read, list, write, rename, remove, link or change; `to` for rename and link; `recursive`
forward: "db:5432"                       # or a socket's path, or {listen: "0.0.0.0:80"}, {agent: true}, {x11: true}
shell: true
managed_shell: true
pty: true
env: LANG=C
subsystem: netconf
"""

from __future__ import annotations

from interpose.model.actions import Action
from interpose.model.command import Command, CommandKind, FileRequest, ForwardRequest, HostContext
from interpose.model.destinations import canonical_host, canonical_listener
from interpose.model.paths import is_canonical
from interpose.policy.yaml_text import Node, nearest

_TEXTS = {"exec": CommandKind.EXEC, "env": CommandKind.ENVIRONMENT, "subsystem": CommandKind.SUBSYSTEM}
_PLAIN = {"shell": CommandKind.SHELL, "managed_shell": CommandKind.MANAGED_SHELL, "pty": CommandKind.PTY}
WORDS = (*_TEXTS, *_PLAIN, "file", "forward")
"""What a case may say instead of `command`."""

_FILES = {
    "read": Action.READ_FILE,
    "list": Action.LIST_FILES,
    "write": Action.WRITE_FILE,
    "rename": Action.RENAME_FILE,
    "remove": Action.REMOVE_FILE,
    "link": Action.LINK_FILE,
    "change": Action.CHANGE_FILE,
}
_FORWARDS = {
    "to": Action.FORWARD,
    "listen": Action.FORWARD_LISTEN,
    "agent": Action.FORWARD_AGENT,
    "x11": Action.FORWARD_X11,
}


def host_command(node: Node) -> Command | None:
    """What a case asks of a host; None when it asks nothing of a host. Faults are problems of the node.

    The context has no account and no folder yet: those are the connection's.
    """
    said = [word for word in WORDS if word in node]
    if not said:
        return None
    if len(said) > 1 or "command" in node:
        node.problem(said[-1], "a case asks one thing", "split it into several cases")
    word = said[0]
    if word == "file":
        return _file(node.node("file"))
    if word == "forward":
        return _forward(node)
    if word in _PLAIN:
        if node.take(word) is not True:
            node.problem(word, f"`{word}` can only be `true`", f"write `{word}: true`")
        return Command(_PLAIN[word], "", HostContext(""))
    text = node.text(word)
    return Command(_TEXTS[word], text, HostContext(""))


def _file(inner: Node) -> Command:
    said = [word for word in _FILES if word in inner]
    word = said[0] if said else ""
    if len(said) != 1:
        inner.problem(
            word or "read", "a file case does one thing", "write one of: " + ", ".join(f"`{each}`" for each in _FILES)
        )
    path = inner.text(word, "") if word else ""
    to = inner.text("to", "")
    request = FileRequest(
        _FILES.get(word, Action.READ_FILE),
        path,
        is_canonical(path),
        to,
        is_canonical(to),
        inner.whole("size"),
        inner.take("recursive") is True,
    )
    inner.finish()
    return Command(CommandKind.FILE, f"{word} {path}", HostContext("", request=request))


def _forward(node: Node) -> Command:
    value = node.take("forward")
    kind, text = "to", str(value)
    if not isinstance(value, str):
        inner = node.node("forward")
        said = inner.names()
        kind = said[0] if len(said) == 1 and said[0] in _FORWARDS else ""
        if not kind:
            node.problem("forward", "a forward is one thing", nearest(said[0] if said else "", _FORWARDS))
            kind = "to"
        text = inner.text(kind, "") if kind in ("to", "listen") else ""
        if kind in ("agent", "x11"):
            inner.take(kind)
        inner.finish()
    host, _, port = text.rpartition(":")
    if text.startswith("/"):
        request = ForwardRequest(_FORWARDS[kind], socket=text)
    elif kind in ("agent", "x11"):
        request = ForwardRequest(_FORWARDS[kind])
    elif port.isdecimal():
        canonical = (canonical_listener if kind == "listen" else canonical_host)(host)
        if canonical is None:
            node.problem("forward", f"`{host}` is neither an address nor a name", "name one host, in ASCII")
        request = ForwardRequest(_FORWARDS[kind], canonical or "", int(port))
    else:
        node.problem("forward", f"`{text}` is no destination", "write `host:port` or the path of a socket")
        request = ForwardRequest(_FORWARDS[kind])
    return Command(CommandKind.FORWARD, f"{kind} {text}".rstrip(), HostContext("", request=request))
