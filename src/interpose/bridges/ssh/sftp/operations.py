"""Judging operations that name paths: resolve, judge, send what was judged. One at a time, but for those that are held."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from interpose.bridges.ssh.sftp.asking import (
    LINKING,
    RENAMING,
    file_request,
    follows,
    refused_request,
    words,
)
from interpose.bridges.ssh.sftp.places import Place, Places, target_of_link
from interpose.bridges.ssh.sftp.upstream_side import Asked
from interpose.bridges.ssh.sftp.wire.names import BadNameError, from_wire, judged, to_wire
from interpose.bridges.ssh.sftp.wire.packets import Kind, Status, framed, string, u32
from interpose.bridges.ssh.sftp.wire.requests import NO_ATTRIBUTES, Operation, Request
from interpose.bridges.ssh.sftp.words import MOVED, bad_name
from interpose.bridges.ssh.words import NOT_MASKABLE, hold_line, refusal_line
from interpose.model.command import Command, CommandKind, FileRequest, HostContext
from interpose.protocols.intents import Allowed, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from interpose.bridges.ssh.session import Judging, SshSession
    from interpose.bridges.ssh.sftp.open_files import OpenFile
    from interpose.bridges.ssh.sftp.upstream_side import UpstreamSide
    from interpose.model.refusal import HoldNotice, Refusal
    from interpose.protocols.intents import Answer

MOST_HELD: Final = 64
"""Operations of one channel that wait for approval at once; the next one makes everything behind it wait."""

MOST_TOLD: Final = 20
"""Refusals that a channel's user is told on standard error; each is also the answer to its operation."""

_OPENING: Final = frozenset({Operation.OPEN, Operation.OPENDIR})


class Relay(Protocol):
    """Where answers go."""

    @property
    def full(self) -> bool:
        """Whether no more files can be opened."""
        ...

    def reply(self, data: bytes) -> None:
        """A whole packet for the client."""
        ...

    def refuse(self, number: int, code: int, message: str) -> None:
        """A STATUS of the gateway's own."""
        ...

    def tell(self, text: str) -> None:
        """A line to whoever is at the client."""
        ...

    def failed(self, error: BaseException) -> None:
        """Something of ours failed."""
        ...

    def settled(self) -> None:
        """Nothing is held any more."""
        ...


class Operations:
    """The operations of one channel."""

    def __init__(self, relay: Relay, session: SshSession, up: UpstreamSide, home: bytes) -> None:
        """`home` is the account's folder as the upstream names it."""
        self._relay = relay
        self._session = session
        self._up = up
        self._home = home
        self._places = Places(up.ask, from_wire(home))
        self._context = HostContext(session.options.user, judged(self._places.home), judged(self._places.home))
        self._judgings: set[Judging] = set()
        self._held: set[asyncio.Task[None]] = set()
        self._told: set[tuple[str, ...]] = set()
        self._openssh = "OpenSSH" in str(session.upstream.get_extra_info("server_version", ""))

    @property
    def holding(self) -> bool:
        """Whether anything is held."""
        return bool(self._held)

    async def run(self, request: Request, file: OpenFile | None) -> None:
        """One operation, up to where it is sent, refused or held. `file` is what a handle of it stands for."""
        if self._answered_here(request):
            return
        if request.operation is Operation.EXPAND_PATH:
            request = replace(request, path=self._home + request.path[1:] if request.path[:1] == b"~" else request.path)
        try:
            sent, place, target = await self._resolve(request, file)
        except BadNameError as error:
            await self._judge(request, refused_request(request), words(request, None, None), str(error))
            return

        async def leads_elsewhere() -> bool:
            try:
                return await self._resolve(request, file) != (sent, place, target)
            except (BadNameError, asyncio.CancelledError):
                # It leads nowhere, or the channel was closed meanwhile.
                return True

        asked = file_request(request, place, target)
        await self._judge(sent, asked, words(request, place, target), "", place, leads_elsewhere)

    def ended(self, asked: Asked, outcome: str, code: str) -> None:
        """An operation is over."""
        if asked.answer is not None:
            facts = {} if asked.place is None else {"path": judged(asked.place.real)}
            self._session.ended(asked.answer, outcome, "", code if outcome == "error" else "", facts)

    def stop(self) -> None:
        """Void what is held."""
        for judging in list(self._judgings):
            judging.void()

    # --- what the gateway answers itself

    def _answered_here(self, request: Request) -> bool:
        """Where relative paths begin is told to everybody: clients ask it before anything else."""
        own = (b"", self._session.options.user.encode())
        if request.operation is Operation.HOME_DIRECTORY:
            if request.path in own:
                self._tell_home(request.id)
            else:
                self._relay.refuse(request.id, Status.PERMISSION_DENIED, "the folders of others are not told")
            return True
        home = request.operation is Operation.REALPATH and request.path in (b"", b".")
        if home or (request.operation is Operation.EXPAND_PATH and request.path in (b"~", b"~/", b".")):
            self._tell_home(request.id)
            return True
        if request.operation is Operation.EXPAND_PATH and request.path[:1] == b"~" and request.path[1:2] != b"/":
            self._relay.refuse(request.id, Status.PERMISSION_DENIED, "the folders of others are not told")
            return True
        if request.operation is Operation.SYMLINK and not self._openssh:
            # Which of the two paths is the link is a matter of the server's make (OpenSSH's PROTOCOL file, section 4.1).
            self._relay.refuse(request.id, Status.OP_UNSUPPORTED, "symbolic links are made on OpenSSH's server only")
            return True
        if request.operation in _OPENING and self._relay.full:
            self._relay.refuse(request.id, Status.FAILURE, "too many files are open")
            return True
        return False

    def _tell_home(self, number: int) -> None:
        name = [string(self._home), string(self._home), NO_ATTRIBUTES.raw]
        self._relay.reply(framed(Kind.NAME, u32(number), u32(1), *name))

    # --- resolving

    async def _resolve(self, request: Request, file: OpenFile | None) -> tuple[Request, Place, Place | None]:
        """The request as it will be sent, and the places that it is about."""
        if file is not None:
            return replace(request, handle=file.upstream), file.place, None
        operation = request.operation
        if operation in RENAMING:
            source = await self._places.find(request.path, follow=False)
            target = await self._places.find(request.second, follow=False)
            return replace(request, path=to_wire(source.real), second=to_wire(target.real)), source, target
        if operation in LINKING:
            link = await self._places.find(request.second, follow=False)
            if operation is Operation.SYMLINK:
                target = await self._places.find(to_wire(target_of_link(request.path, link)), follow=True)
                # The text of the link is what was asked for: a relative one stays relative.
                return replace(request, second=to_wire(link.real)), link, replace(target, failed=None)
            # The link is made to what is named itself, and on some systems to what it leads to.
            itself = await self._places.find(request.path, follow=False)
            target = await self._places.find(request.path, follow=True)
            sent = replace(request, path=to_wire(itself.real), second=to_wire(link.real))
            return sent, replace(link, failed=link.failed or itself.failed), target
        place = await self._places.find(request.path, follow=follows(request))
        sent = replace(request, path=to_wire(place.real))
        return replace(sent, operation=Operation.REALPATH) if operation is Operation.EXPAND_PATH else sent, place, None

    # --- judging

    async def _judge(
        self,
        request: Request,
        asked: FileRequest,
        text: str,
        fault: str,
        place: Place | None = None,
        leads_elsewhere: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        command = Command(CommandKind.FILE, text, replace(self._context, request=asked))
        answer = self._session.judge_now(command)
        if answer is not None:
            self._decided(request, answer, fault, place)
            return
        held = asyncio.get_running_loop().create_future()

        def holding(notice: HoldNotice) -> None:
            self._relay.tell(hold_line(notice))
            if not held.done():
                held.set_result(None)

        judging = self._session.judge(command, holding)
        self._judgings.add(judging)
        task = asyncio.get_running_loop().create_task(
            self._wait(request, judging, fault, place, leads_elsewhere), name="ssh files: judgement"
        )
        self._held.add(task)
        await asyncio.wait({task, held}, return_when=asyncio.FIRST_COMPLETED)
        if len(self._held) > MOST_HELD:
            await asyncio.wait({task})
        if task.done():
            task.result()

    async def _wait(
        self,
        request: Request,
        judging: Judging,
        fault: str,
        place: Place | None,
        leads_elsewhere: Callable[[], Awaitable[bool]] | None,
    ) -> None:
        try:
            answer = await judging.answer()
            # INVARIANT: the file that was approved, and no other: while it was held its folders may have been exchanged.
            sendable = isinstance(answer, Allowed) and not judging.voided
            moved = sendable and leads_elsewhere is not None and await leads_elsewhere()
            if isinstance(answer, Allowed) and judging.voided:
                self._session.ended(answer, "not_sent")
            elif isinstance(answer, Allowed) and moved:
                self._session.ended(answer, "not_sent")
                self._refuse(request, MOVED)
            elif answer is not None:
                self._decided(request, answer, fault, place)
        except Exception as error:  # noqa: BLE001 -- INVARIANT: any exception in a session closes both of its sides
            self._relay.failed(error)
        finally:
            self._judgings.discard(judging)
            task = asyncio.current_task()
            if task is not None:
                self._held.discard(task)
            self._relay.settled()

    def _decided(self, request: Request, answer: Answer, fault: str, place: Place | None) -> None:
        if isinstance(answer, Refused):
            self._refuse(request, bad_name(fault) if fault else answer.refusal)
        elif answer.obligations.reveal.content:
            self._session.ended(answer, "not_sent")
            self._refuse(request, NOT_MASKABLE)
        elif place is not None and place.failed is not None:
            self._session.ended(answer, "error", "", _words_of(place.failed), {"path": judged(place.real)})
            self._relay.refuse(request.id, place.failed, "")
        else:
            answer.permit.spend()
            self._up.send(request, Asked(request.operation, request.id, answer=answer, request=request, place=place))

    def _refuse(self, request: Request, refusal: Refusal) -> None:
        line = refusal_line(refusal)
        self._relay.refuse(request.id, Status.PERMISSION_DENIED, line)
        # Clients show the code and keep the words to themselves.
        about = (refusal.code, refusal.message, *refusal.policies)
        if about not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(about)
            self._relay.tell(line)


def _words_of(code: int) -> str:
    return Status(code).name.lower() if code in set(Status) else f"status_{code}"
