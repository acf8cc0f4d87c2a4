"""`scp -O`, beside the permit of its command: each file and folder that the stream names is judged, in either direction, before it is passed on.

INVARIANT: what is sent on is what was parsed, in order; whatever does not follow the protocol ends the channel.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from interpose.bridges.ssh.relaying import ChannelRelay
from interpose.bridges.ssh.scp_records import (
    Record,
    Records,
    ScpError,
    Transfer,
    is_pattern,
    named,
    parse_command,
    quiet,
)
from interpose.bridges.ssh.words import hold_line
from interpose.model.actions import Action
from interpose.model.command import Command, CommandKind, FileRequest
from interpose.model.paths import is_canonical, lexical
from interpose.model.refusal import Refusal
from interpose.protocols.intents import Allowed, Refused

if TYPE_CHECKING:
    from interpose.bridges.ssh.session import Judging, SshSession
    from interpose.model.analysis import Analysis
    from interpose.protocols.intents import Answer

MOST_WAITING: Final = 4 * 1024 * 1024
"""Bytes that a source sends on while one of its records is held. An ordinary one sends none."""

_UNREADABLE: Final = Refusal(
    "unanalysable",
    "scp is started in a way in which the gateway cannot follow its files",
    "use scp without `-O`, or name plain paths",
)


def transfer_of(analysis: Analysis) -> Transfer | Refused | None:
    """The transfer that a command line is: None when it runs no scp that serves, a refusal when it does so among other things."""
    runs = [effect for effect in analysis.effects if effect.action is Action.EXEC]
    serves = [run for run in runs if run.facts.get("program") == "scp" or str(run.facts.get("argv0")).endswith("/scp")]
    if not any({"-t", "-f"} & set(_words(run.facts.get("flags"))) for run in serves):
        return None
    dynamic = any(effect.action is Action.EXEC_DYNAMIC for effect in analysis.effects)
    try:
        transfer = parse_command(_words(serves[0].facts.get("argv")))
    except ScpError:
        return Refused(_UNREADABLE)
    return Refused(_UNREADABLE) if dynamic or len(runs) != 1 or transfer is None else transfer


def _words(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


class ScpRelay(ChannelRelay):
    """The relay of a channel whose command is `scp -t` or `scp -f`."""

    _session: SshSession
    _transfer: Transfer

    def follow(self, session: SshSession, transfer: Transfer) -> None:
        """Before anything comes."""
        self._session = session
        self._transfer = transfer
        self._records = Records(transfer)
        self._waiting = bytearray()
        self._judging: Judging | None = None
        self._ended = False
        self._file: tuple[Allowed, Record, int] | None = None

    # --- the two directions

    def input(self, data: bytes) -> None:
        """Of the client: records when it is the source, else acknowledgements."""
        if self._transfer.upload:
            self._source(data)
        else:
            super().input(data)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Of the host: records when it is the source, else acknowledgements."""
        if datatype is not None or self.over:
            super().data_received(data, datatype)
        elif self._transfer.upload:
            super().data_received(quiet(data), None)
        else:
            self._source(data)

    def input_ended(self) -> None:
        """The client will send no more; what waits goes first."""
        if self._judging is None:
            super().input_ended()
        else:
            self._ended = True

    def _pass(self, data: bytes) -> None:
        if not data:
            return
        if self._transfer.upload:
            super().input(data)
        else:
            super().data_received(data, None)

    # --- records

    def _source(self, data: bytes) -> None:
        try:
            if self._judging is not None:
                self._waiting += data
                if len(self._waiting) > MOST_WAITING:
                    raise ScpError("contents are sent before they are asked for")
                return
            self._follow(data)
        except ScpError as error:
            self._refuse(Refusal("hostile_stream", f"scp: {error}", "nothing more of it was passed on"))
        except Exception as error:  # noqa: BLE001 -- INVARIANT: any exception in a session closes both of its sides
            self._broken(error)

    def _follow(self, data: bytes) -> None:
        at, passed = 0, 0
        while at < len(data) and not self.over:
            count = self._records.contents(data, at)
            if count:
                at += count
                self._count(count)
                continue
            start, (at, whole) = at, self._records.line(data, at)
            self._pass(data[passed:start])
            passed = at
            if whole is None:
                # A record goes on when it is complete.
                break
            within = self._records.within_file
            record = self._records.read(whole)
            if within:
                self._file_over("ok" if whole == b"\0" else "error")
            if record is None:
                self._pass(whole if whole[0] not in (1, 2) else quiet(whole))
            elif not self._judge(record):
                self._waiting += data[at:]
                return
        self._pass(data[passed:at])

    def _judge(self, record: Record) -> bool:
        """Whether it was decided at once."""
        command = Command(CommandKind.FILE, self._words(record), self._session.context_of(self._request(record)))
        answer = self._session.judge_now(command)
        if answer is not None:
            self._decided(record, answer)
            return True
        self._judging = self._session.judge(command, lambda notice: self._owner.tell(hold_line(notice)))
        self._task = asyncio.get_running_loop().create_task(self._wait(record, self._judging), name="scp: judgement")
        return False

    async def _wait(self, record: Record, judging: Judging) -> None:
        try:
            answer = await judging.answer()
            self._judging = None
            if isinstance(answer, Allowed) and (judging.voided or self.over):
                self._session.ended(answer, "not_sent")
            elif answer is not None:
                self._decided(record, answer)
                waiting, self._waiting = bytes(self._waiting), bytearray()
                if waiting and not self.over:
                    self._source(waiting)
                if self._ended and self._judging is None:
                    super().input_ended()
        except Exception as error:  # noqa: BLE001 -- as above
            self._broken(error)

    def _decided(self, record: Record, answer: Answer) -> None:
        if isinstance(answer, Refused):
            self._refuse(answer.refusal)
            return
        answer.permit.spend()
        self._records.begin(record)
        self._pass(record.line)
        if record.folder:
            self._session.ended(answer, "ok")
        else:
            self._file = (answer, record, 0)

    def _count(self, count: int) -> None:
        if self._file is not None:
            answer, record, size = self._file
            answer.permit.check_part()
            self._file = (answer, record, size + count)

    def _file_over(self, outcome: str) -> None:
        if self._file is not None:
            answer, record, size = self._file
            self._file = None
            upload = self._transfer.upload
            facts = {
                "path": self._request(record).path,
                "direction": "upload" if upload else "download",
                "bytes_written" if upload else "bytes_read": size,
            }
            self._session.ended(answer, outcome, f"{size} bytes {'written' if upload else 'read'}", "", facts)

    # --- words and ends

    def _request(self, record: Record) -> FileRequest:
        top = record.above[0] if record.above else record.name
        bases = named(self._transfer, top)
        below = "/".join((*record.above[1:], record.name) if record.above else ())
        if self._transfer.upload:
            # The target is the folder that it goes into, or it is its new name: only the host knows.
            folders = list(bases)
            places = [f"{base}/{top}" for base in bases] + ([] if self._transfer.folder else folders)
        else:
            # Of two sources of one name nobody knows which of them it is: it is judged as both.
            folders = [base.rstrip("/").rpartition("/")[0] or ("/" if base.startswith("/") else ".") for base in bases]
            places = [f"{folder}/{top}" for folder in folders]
        paths = [self._absolute(f"{place}/{below}" if below else place) for place in places]
        known = [path for path in paths if is_canonical(path)]
        action = Action.WRITE_FILE if self._transfer.upload else Action.READ_FILE
        special = (Action.CHANGE_FILE,) if self._transfer.upload and record.mode & 0o7000 else ()
        certain = len(known) == len(paths) and not any(".." in each.split("/") or is_pattern(each) for each in folders)
        first = known[0] if known else paths[0]
        return FileRequest(
            action,
            first,
            certain,
            size=None if record.folder else record.size,
            also=tuple(path for path in known if path != first),
            more=special,
        )

    def _absolute(self, path: str) -> str:
        home = self._session.options.home
        if path.startswith("~/") and home:
            path = path[2:]
        if not path.startswith("/") and home:
            path = f"{home}/{path}"
        return lexical(path) or path

    def _words(self, record: Record) -> str:
        verb = "receive" if self._transfer.upload else "send"
        what = "folder" if record.folder else f"file of {record.size} bytes"
        return f"scp: {verb} {what} {self._request(record).path}"

    def _refuse(self, refusal: Refusal) -> None:
        """Nothing more of the stream goes either way, and the client is told by what a refused command is told by."""
        self.stop()
        self._relay_owner.relay_refused(refusal)

    def stop(self) -> None:
        """Nothing more goes either way."""
        if not self.over:
            if self._judging is not None:
                self._judging.void()
            self._file_over("cut")
        super().stop()
