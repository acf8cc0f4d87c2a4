"""Effects of the requests of SSH that are no command line: shells, terminals, variables, subsystems, files and forwards."""

from __future__ import annotations

from interpose.analysis.shell.arithmetic import calculates
from interpose.analysis.shell.commands import takes_code
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, FactValue, Unanalysable
from interpose.model.command import Command, CommandKind, FileRequest, ForwardRequest, HostContext
from interpose.model.destinations import canonical_host, canonical_listener, is_address, kind_of_host
from interpose.model.paths import is_canonical
from interpose.model.resources import DestinationResource, HostResource, PathResource, Resource

_FILE_ACTIONS = frozenset(
    {
        Action.READ_FILE,
        Action.LIST_FILES,
        Action.WRITE_FILE,
        Action.RENAME_FILE,
        Action.REMOVE_FILE,
        Action.LINK_FILE,
        Action.CHANGE_FILE,
    }
)
_TUNNELS = frozenset({Action.FORWARD, Action.FORWARD_LISTEN, Action.FORWARD_AGENT, Action.FORWARD_X11})
_BAD_PATH = Unanalysable("bad_path", "the path is not in canonical form", "name the file by its absolute path")
_DIRECTION = {Action.READ_FILE: "download", Action.WRITE_FILE: "upload"}


def request_effects(command: Command, context: HostContext) -> Analysis | Unanalysable:
    """What one request does; one that does not say what it asks for is refused."""
    host = HostResource()
    match command.kind:
        case CommandKind.SHELL:
            return _one(Action.SHELL, host)
        case CommandKind.MANAGED_SHELL:
            return _one(Action.MANAGED_SHELL, host)
        case CommandKind.PTY:
            return _one(Action.PTY, host)
        case CommandKind.SUBSYSTEM:
            return _one(Action.SUBSYSTEM, host, {"subsystem": command.text})
        case CommandKind.ENVIRONMENT:
            return _variable(command.text)
        case CommandKind.FILE if isinstance(context.request, FileRequest) and context.request.action in _FILE_ACTIONS:
            return _file(context.request)
        case CommandKind.FORWARD if isinstance(context.request, ForwardRequest) and context.request.action in _TUNNELS:
            return _forward(context.request)
        case _:
            return Unanalysable("unknown_command", "the request does not say what it asks for")


def _variable(text: str) -> Analysis:
    name, _, value = text.partition("=")
    effects = [Effect(Action.SET_ENV, HostResource(), {"env_name": name})]
    kind = "environment" if takes_code(name) else "dialect" if calculates(name, value) else ""
    if kind:
        # As on a command line: what runs next is not what its text says.
        effects.append(Effect(Action.EXEC_DYNAMIC, HostResource(), {"dynamic_kind": kind}))
    return Analysis(tuple(effects), ())


def _one(action: Action, resource: Resource, facts: dict[str, FactValue] | None = None) -> Analysis:
    return Analysis((Effect(action, resource, facts or {}),), ())


def _path(path: str, resolved: bool) -> PathResource | None:
    if is_canonical(path):
        return PathResource(path, resolved)
    return None if resolved or path.startswith("/") else PathResource(path, resolved=False)


def _file(request: FileRequest) -> Analysis | Unanalysable:
    paths = [_path(request.path, request.resolved), *(_path(path, True) for path in request.also)]
    targets: list[PathResource | None] = []
    if request.action in (Action.RENAME_FILE, Action.LINK_FILE):
        targets = [_path(request.path_to, request.resolved_to), *(_path(path, True) for path in request.also_to)]
    passed = [_path(path, True) for path in request.passed]
    if None in (*paths, *targets, *passed):
        return _BAD_PATH
    facts: dict[str, FactValue] = {"recursive": request.recursive}
    if request.size is not None:
        facts["size"] = request.size
    if targets and targets[0] is not None:
        facts["path_to"] = targets[0].path
    effects = []
    for action in (request.action, *request.more):
        told = {**facts, "direction": _DIRECTION[action]} if action in _DIRECTION else facts
        effects += [Effect(action, path, told) for path in paths if path is not None]
    for target in targets:
        if target is not None and request.action is Action.RENAME_FILE:
            # What stands at the new name is replaced.
            effects.append(Effect(Action.WRITE_FILE, target, {"recursive": request.recursive, "direction": "upload"}))
        elif target is not None:
            # A link gives a file a second name, and whoever may use that name uses the file.
            effects.append(Effect(Action.LINK_FILE, target, {"recursive": request.recursive, "path_to": target.path}))
    effects += [Effect(Action.LIST_FILES, path, {"recursive": False}) for path in passed if path is not None]
    return Analysis(tuple(effects), ())


def _forward(request: ForwardRequest) -> Analysis | Unanalysable:
    if request.action in (Action.FORWARD_AGENT, Action.FORWARD_X11):
        return _one(request.action, HostResource())
    if request.socket:
        return _socket(request)
    listens = request.action is Action.FORWARD_LISTEN
    if not (0 if listens else 1) <= request.port <= 65535:
        return Unanalysable("bad_port", "there is no such port", "ports are 1 to 65535")
    canonical = (canonical_listener if listens else canonical_host)(request.host)
    # INVARIANT: what is judged is the one spelling that is sent.
    if canonical != request.host or request.address != (request.address and canonical_host(request.address)):
        return Unanalysable("bad_destination", "the host is neither an address nor a name", "name one host, in ASCII")
    kind = kind_of_host(request.address or request.host, listens=listens)
    facts: dict[str, FactValue] = {
        "destination_host": request.host,
        "destination_port": request.port,
        "destination_kind": kind,
    }
    address = request.address or request.host
    if is_address(address):
        facts["destination_address"] = address
    return _one(request.action, DestinationResource(request.host, request.port), facts)


def _socket(request: ForwardRequest) -> Analysis | Unanalysable:
    """A local socket is a destination, and a file that is written to."""
    if not is_canonical(request.socket):
        return Unanalysable("bad_path", "the socket's path is not in canonical form", "name it by its absolute path")
    facts: dict[str, FactValue] = {"destination_host": "", "destination_port": 0, "destination_kind": "socket"}
    destination = DestinationResource("", 0, request.socket)
    written = Effect(Action.WRITE_FILE, PathResource(request.socket), {"recursive": False, "direction": "upload"})
    return Analysis((Effect(request.action, destination, facts), written), ())
