"""What an operation on files is to policy: which action on which paths, and the line that an approver reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interpose.bridges.ssh.sftp.wire.names import judged
from interpose.bridges.ssh.sftp.wire.requests import (
    APPEND_FLAG,
    CREATE_FLAG,
    EXCLUSIVE_FLAG,
    READ_FLAG,
    TRUNCATE_FLAG,
    WRITE_FLAG,
    Operation,
    Request,
)
from interpose.model.actions import Action
from interpose.model.command import FileRequest

if TYPE_CHECKING:
    from interpose.bridges.ssh.sftp.places import Place

LOOKING: Final = frozenset(
    {
        Operation.STAT,
        Operation.LSTAT,
        Operation.OPENDIR,
        Operation.READLINK,
        Operation.REALPATH,
        Operation.STATVFS,
        Operation.EXPAND_PATH,
    }
)
"""Operations that show names and attributes: `list_files`."""

REMOVING: Final = frozenset({Operation.REMOVE, Operation.RMDIR})
RENAMING: Final = frozenset({Operation.RENAME, Operation.POSIX_RENAME})
LINKING: Final = frozenset({Operation.SYMLINK, Operation.HARDLINK})
CHANGING: Final = frozenset({Operation.SETSTAT, Operation.LSETSTAT, Operation.FSETSTAT})

_FOLLOWING: Final = frozenset(
    {
        Operation.STAT,
        Operation.OPENDIR,
        Operation.SETSTAT,
        Operation.STATVFS,
        Operation.REALPATH,
        Operation.EXPAND_PATH,
    }
)
_WRITING: Final = WRITE_FLAG | APPEND_FLAG | CREATE_FLAG | TRUNCATE_FLAG
_FLAG_WORDS: Final = (
    (READ_FLAG, "read"),
    (WRITE_FLAG, "write"),
    (APPEND_FLAG, "append"),
    (CREATE_FLAG, "create"),
    (TRUNCATE_FLAG, "truncate"),
    (EXCLUSIVE_FLAG, "exclusive"),
)


def follows(request: Request) -> bool:
    """Whether the host would look through a symbolic link at the end of the path."""
    if request.operation is Operation.OPEN:
        return not (request.flags & CREATE_FLAG and request.flags & EXCLUSIVE_FLAG)
    return request.operation in _FOLLOWING


def reads(request: Request) -> bool:
    """Whether an OPEN lets the client read."""
    return bool(request.flags & READ_FLAG) or not request.flags & _WRITING


def writes(request: Request) -> bool:
    """Whether an OPEN lets the client write."""
    return bool(request.flags & (WRITE_FLAG | APPEND_FLAG))


def actions(request: Request) -> tuple[Action, ...]:
    """What a request does to its path, the first being what it is for."""
    operation, attributes = request.operation, request.attributes
    if operation in LOOKING:
        return (Action.LIST_FILES,)
    if operation in REMOVING:
        return (Action.REMOVE_FILE,)
    if operation in RENAMING:
        return (Action.RENAME_FILE,)
    if operation in LINKING:
        return (Action.LINK_FILE,)
    # A set-user-id bit is no matter of who may write.
    special = (Action.CHANGE_FILE,) if attributes.special else ()
    if operation is Operation.MKDIR:
        return (Action.WRITE_FILE, *special)
    if operation is Operation.OPEN:
        found = [Action.WRITE_FILE] if request.flags & _WRITING else []
        return (*found, *([Action.READ_FILE] if reads(request) else []), *special)
    if operation in CHANGING:
        resizes = (Action.WRITE_FILE,) if attributes.size is not None else ()
        return (Action.CHANGE_FILE, *resizes) if attributes.changes or not resizes else resizes
    raise ValueError("this operation is not judged by its path")


def file_request(request: Request, place: Place, target: Place | None) -> FileRequest:
    """The request as policy sees it. `target` is where a rename or link leads."""
    first, *more = actions(request)
    passed = dict.fromkeys([*place.passed, *(target.passed if target is not None else ())])
    return FileRequest(
        first,
        judged(place.written),
        path_to=judged(target.written) if target is not None else "",
        size=request.attributes.size,
        # What is renamed takes along what is in it.
        recursive=request.operation in RENAMING,
        also=tuple(map(judged, place.also)),
        also_to=tuple(map(judged, target.also)) if target is not None else (),
        more=tuple(more),
        passed=tuple(map(judged, passed)),
    )


def refused_request(request: Request) -> FileRequest:
    """What stands for a request whose path cannot be judged: no policy is asked, it is refused and recorded."""
    return FileRequest(actions(request)[0], "")


def words(request: Request, place: Place | None, target: Place | None) -> str:
    """The line for approvers and the recording: `open (write, create) /srv/a`, `rename /srv/a to /srv/b`."""
    verb = request.operation.value.partition("@")[0]
    if request.operation is Operation.OPEN:
        verb = f"open ({', '.join(word for flag, word in _FLAG_WORDS if request.flags & flag) or 'read'})"
    if place is None:
        return f"{verb} {request.path!r}"
    text = f"{verb} {judged(place.written)}"
    if place.also:
        text += f" (which is {judged(place.real)})"
    if target is not None:
        text += f" to {judged(target.written)}"
        if target.also:
            text += f" (which is {judged(target.real)})"
    given = request.attributes
    if request.operation in CHANGING and given.size is not None:
        text += f" size={given.size}"
    if request.operation in CHANGING and given.permissions is not None:
        text += f" mode={given.permissions & 0o7777:04o}"
    return text
