"""One files channel: the client's SFTP on one side, the upstream's on the other, and a judgement between them for every operation.

INVARIANT: a request that names a path is sent only after it was judged, in the order in which the client sent it (what is held waits alone),
and with the path that was judged. Data of an open file goes under the permit of its OPEN.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from interpose.bridges.ssh.sftp.asking import CHANGING, reads, writes
from interpose.bridges.ssh.sftp.open_files import OpenFile
from interpose.bridges.ssh.sftp.operations import Operations
from interpose.bridges.ssh.sftp.upstream_side import Asked, UpstreamSide, data_head
from interpose.bridges.ssh.sftp.wire.names import to_wire
from interpose.bridges.ssh.sftp.wire.packets import Kind, MalformedError, Splitter, Status, framed, status, string, u32
from interpose.bridges.ssh.sftp.wire.replies import (
    LARGEST_TRANSFER,
    HostileError,
    Reply,
    common_extensions,
    read_version,
)
from interpose.bridges.ssh.sftp.wire.requests import Operation, Request, read_request
from interpose.bridges.ssh.sftp.words import MALFORMED, UNFINISHED, hostile
from interpose.model.errors import RecordingError
from interpose.recording.channel_frames import StreamName

if TYPE_CHECKING:
    from interpose.bridges.ssh.session import SshSession
    from interpose.bridges.ssh.sftp.flow import FilesOwner

MOST_FILES: Final = 1024
"""Files and folders that are open on one channel."""

MOST_WAITING: Final = 512
"""Requests that wait to be judged or answered, before the client is not read any more."""

_ON_HANDLE: Final = frozenset(
    {Operation.CLOSE, Operation.FSTAT, Operation.READDIR, Operation.FSYNC, Operation.FSTATVFS, Operation.COPY_DATA}
)


class FilesRelay:
    """Packets between both sides. Its bytes come and go by `flow.FilesChannel`."""

    def __init__(self, owner: FilesOwner, session: SshSession) -> None:
        """Nothing is said yet."""
        self._owner = owner
        self._session = session
        self._options = session.options
        self._client = Splitter()
        self.up = UpstreamSide(owner.write_up, self._answered, self._data)
        self._operations: Operations | None = None
        self._extensions: dict[bytes, bytes] = {}
        self._greeted = False
        self._waiting: deque[bytes] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._files: dict[bytes, OpenFile] = {}
        self._last_handle = 0
        self._out: list[bytes | memoryview] = []
        self._loop = asyncio.get_running_loop()
        self._ending = False
        self._over = False

    async def begin(self) -> None:
        """Agree with the upstream on a version, and learn where relative paths begin. Raises `HostileError`."""
        self._extensions = common_extensions(await self.up.greet())
        (home,) = await self.up.ask([Request(0, Operation.REALPATH, path=b".")])
        if not home.names:
            raise HostileError("the host does not say what the account's folder is")
        self._operations = Operations(self, self._session, self.up, home.names[0].name)

    @property
    def busy(self) -> bool:
        """Whether as much waits as may wait."""
        return len(self._waiting) > MOST_WAITING or len(self.up.asked) > MOST_WAITING

    # --- from the client

    def from_client(self, data: bytes) -> None:
        """Bytes of the client."""
        try:
            for packet in self._client.feed(data):
                if not self._greeted:
                    self._greet(packet)
                elif self._worker is not None:
                    self._waiting.append(packet)
                else:
                    request = self._at_once(packet)
                    if request is not None:
                        self._worker = self._loop.create_task(self._work(request), name="ssh files")
        except MalformedError:
            self._owner.end(MALFORMED)

    def input_ended(self) -> None:
        """The client sends no more."""
        self._ending = True
        self._maybe_end()

    def _greet(self, packet: bytes) -> None:
        version, _ = read_version(packet)
        if packet[0] != Kind.INIT or version < 3:
            raise MalformedError("the client speaks another version of SFTP")
        self._greeted = True
        offered = [part for name, value in self._extensions.items() for part in (string(name), string(value))]
        self.reply(framed(Kind.VERSION, u32(3), *offered))

    async def _work(self, first: Request) -> None:
        """Judge one after the other, until nothing waits."""
        operations = self._operations
        assert operations is not None
        request: Request | None = first
        try:
            while request is not None:
                await operations.run(request, self._place_of_handle(request))
                request = None
                while self._waiting and request is None:
                    request = self._at_once(self._waiting.popleft())
        except MalformedError:
            self._owner.end(MALFORMED)
        except HostileError as error:
            self._owner.end(hostile(str(error)))
        except Exception as error:  # noqa: BLE001 -- INVARIANT: any exception in a session closes both of its sides
            self._owner.broken(error)
        finally:
            self._worker = None
        self._owner.balance()
        self._maybe_end()

    def _maybe_end(self) -> None:
        held = self._operations is not None and self._operations.holding
        if self._ending and self._worker is None and not held:
            self._loop.call_soon(self._owner.end_up)

    def _at_once(self, packet: bytes) -> Request | None:
        """Do what needs no judgement; what needs one is handed back."""
        kind = packet[0]
        if kind in (Kind.READ, Kind.WRITE):
            self._transfer(packet, write=kind == Kind.WRITE)
            return None
        request = read_request(packet)
        operation = request.operation
        if operation is Operation.UNKNOWN:
            self.refuse(request.id, Status.OP_UNSUPPORTED, "the gateway does not understand this")
        elif operation is Operation.LIMITS:
            self.up.send(request, Asked(operation, request.id))
        elif operation in _ON_HANDLE:
            self._on_handle(request)
        elif operation is Operation.FSETSTAT and request.handle not in self._files:
            self.refuse(request.id, Status.FAILURE, "there is no such handle")
        elif request.attributes.extended:
            self.refuse(request.id, Status.OP_UNSUPPORTED, "the gateway does not understand these attributes")
        else:
            return request
        return None

    def _transfer(self, packet: bytes, *, write: bool) -> None:
        """READ and WRITE: under the permit of the OPEN, without another look at policy."""
        if len(packet) < 9:
            raise MalformedError("a request ends before its fields do")
        number, size = int.from_bytes(packet[1:5], "big"), int.from_bytes(packet[5:9], "big")
        at = 9 + size
        if len(packet) < at + 12:
            raise MalformedError("a request ends before its fields do")
        length = int.from_bytes(packet[at + 8 : at + 12], "big")
        if len(packet) != at + 12 + (length if write else 0):
            raise MalformedError("a request has another length than it says")
        file = self._files.get(packet[9:at])
        if file is None or file.folder:
            self.refuse(number, Status.FAILURE, "there is no such handle")
            return
        if not (file.writable if write else file.readable):
            self.refuse(number, Status.PERMISSION_DENIED, "the file was not opened for this")
            return
        # INVARIANT: parts follow their command, under its open permit.
        file.answer.permit.check_part()
        offset = int.from_bytes(packet[at : at + 8], "big")
        if write:
            rest = memoryview(packet)[at:]
            file.went(offset, rest[12:])
            self._keep(file, StreamName.STDIN, rest[12:])
            self.up.send_write(
                file.upstream, rest, Asked(Operation.WRITE, number, file=file, offset=offset, length=length)
            )
        else:
            # A host may answer with less than is asked for, and clients expect it.
            length = min(length, LARGEST_TRANSFER)
            asked = Asked(Operation.READ, number, file=file, offset=offset, length=length)
            self.up.send_read(file.upstream, packet[at : at + 8] + u32(length), asked)

    def _on_handle(self, request: Request) -> None:
        file = self._files.get(request.handle)
        if file is None:
            self.refuse(request.id, Status.FAILURE, "there is no such handle")
            return
        file.answer.permit.check_part()
        asked = Asked(request.operation, request.id, file=file)
        sent = Request(request.id, request.operation, handle=file.upstream)
        if request.operation is Operation.CLOSE:
            # From here on nobody can name it.
            del self._files[file.handle]
        elif request.operation is Operation.COPY_DATA:
            target = self._files.get(request.to_handle)
            if target is None or not file.readable or not target.writable:
                self.refuse(request.id, Status.PERMISSION_DENIED, "the files were not opened for this")
                return
            target.answer.permit.check_part()
            target.unhashed()
            asked.file = target
            sent = Request(
                request.id,
                request.operation,
                handle=file.upstream,
                offset=request.offset,
                length=request.length,
                to_handle=target.upstream,
                to_offset=request.to_offset,
            )
        self.up.send(sent, asked)

    def _place_of_handle(self, request: Request) -> OpenFile | None:
        return self._files.get(request.handle) if request.operation in CHANGING and request.handle else None

    # --- from the upstream

    def _data(self, asked: Asked, packet: bytes) -> None:
        file = asked.file
        assert file is not None
        data = memoryview(packet)[9:]
        file.bytes_read += len(data)
        file.went(asked.offset, data)
        self._keep(file, StreamName.STDOUT, data)
        self.reply(data_head(asked.client_id, len(data)))
        self._out.append(memoryview(packet)[5:])

    def _answered(self, asked: Asked, reply: Reply) -> None:
        file, operation = asked.file, asked.operation
        good = reply.code is None or reply.code in (Status.OK, Status.EOF)
        if file is not None:
            if operation is Operation.WRITE and good:
                file.bytes_written += asked.length
            elif operation is Operation.READDIR:
                file.names += len(reply.names)
            elif operation is Operation.CLOSE:
                self._closed(file, "ok" if good and not file.failed else "error", _code(reply))
            if not good:
                file.failed_once()
        if reply.handle is not None:
            self._opened(asked, reply.handle)
            return
        if asked.answer is not None and self._operations is not None:
            self._operations.ended(asked, "ok" if good else "error", _code(reply))
        self.reply(reply.data)

    def _opened(self, asked: Asked, upstream: bytes) -> None:
        request, answer, place = asked.request, asked.answer, asked.place
        assert request is not None and answer is not None and place is not None
        self._last_handle += 1
        handle = self._last_handle.to_bytes(4, "big")
        folder = asked.operation is Operation.OPENDIR
        file = OpenFile(
            handle,
            upstream,
            answer,
            place,
            folder=folder,
            readable=not folder and reads(request),
            writable=not folder and writes(request),
            hashed=self._options.file_hash is not None,
        )
        if self._options.record_files and not folder:
            file.channel = self._session.number()
            self._session.session.recorder.channel_opened(file.channel, answer.permit.sequence, "file")
        self._files[handle] = file
        self.reply(framed(Kind.HANDLE, u32(asked.client_id), string(handle)))

    @property
    def full(self) -> bool:
        """Whether no more files can be opened."""
        return len(self._files) + sum(each.answer is not None for each in self.up.asked.values()) >= MOST_FILES

    def _keep(self, file: OpenFile, stream: StreamName, data: memoryview) -> None:
        if file.channel is not None:
            self._session.session.recorder.stream(file.channel, stream, bytes(data))

    def _closed(self, file: OpenFile, outcome: str, code: str) -> None:
        if file.channel is not None:
            self._session.session.recorder.channel_closed(file.channel)
        self._session.ended(file.answer, outcome, file.tag(), code if outcome == "error" else "", file.facts())

    # --- down to the client

    def reply(self, data: bytes) -> None:
        """Send a whole packet, or the head of one, soon."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)

    def refuse(self, number: int, code: int, message: str) -> None:
        """A STATUS of the gateway's own."""
        self.reply(status(number, code, to_wire(message)))

    def tell(self, text: str) -> None:
        """A line to whoever is at the client."""
        self._owner.tell(text)

    def failed(self, error: BaseException) -> None:
        """Something of ours failed; the session ends."""
        self._owner.broken(error)

    def settled(self) -> None:
        """Nothing, or less, is held."""
        self._maybe_end()

    def _flush(self) -> None:
        out, self._out = self._out, []
        if out and not self._over:
            self._owner.write_down(b"".join(out))

    # --- the end

    def stop(self, outcome: str) -> None:
        """Nothing more goes either way; what is open or unanswered ends as it is."""
        if self._over:
            return
        self._over = True
        if self._operations is not None:
            self._operations.stop()
        if self._worker is not None:
            self._worker.cancel()
        for asked in self.up.stop():
            if asked.answer is not None:
                self._session.ended(asked.answer, outcome, "", UNFINISHED)
            elif asked.operation is Operation.CLOSE and asked.file is not None:
                self._end_file(asked.file, outcome)
        for file in list(self._files.values()):
            self._end_file(file, outcome)
        self._files.clear()

    def _end_file(self, file: OpenFile, outcome: str) -> None:
        try:
            self._closed(file, outcome, "")
        except RecordingError as error:
            self._owner.broken(error)


def _code(reply: Reply) -> str:
    """The status of a reply in words: `no_such_file`; empty for OK."""
    if reply.code is None or reply.code == Status.OK:
        return ""
    return Status(reply.code).name.lower() if reply.code in set(Status) else f"status_{reply.code}"
