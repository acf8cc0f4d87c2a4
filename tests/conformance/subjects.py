"""The protocols under law: for each `ProtocolSpec`, how to make its relay, what a client may send, and a server that answers.

A protocol whose folder has a SPEC and that has no subject here fails `test_coverage`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from interpose.model.analysis import Analysis, SessionChange, StatementInfo
from interpose.model.command import Command
from interpose.model.ids import SessionId
from interpose.model.proofs import Clearance, seal_of_the_engine
from interpose.protocols.contract import LoginOptions, ProtocolSpec, Relay, SessionFacts
from interpose.protocols.postgres.spec import SPEC as POSTGRES
from interpose.protocols.postgres.wire import frame
from tests.support.fake_postgres import FakePostgres
from tests.support.playbook import COPY_DONE, B, C, D, E, H, P, Q, S, X, copy_data, copy_fail, dialled, kinds

SEAL = seal_of_the_engine()
SESSION = SessionId("s_law")
CANARY = b"canary-4f1d6c"


@dataclass(frozen=True)
class Subject:
    """One protocol under law.

    `client` are bytes that a client may send: mostly good, sometimes not. `analyse` is what the engine would say of a command.
    `is_refusal` tells whether bytes for the client hold a readable refusal.
    """

    spec: ProtocolSpec
    dialled: Callable[[], object]
    server: Callable[[], FakePostgres]
    client: st.SearchStrategy[bytes]
    analyse: Callable[[Command], Analysis]
    command: bytes
    is_refusal: Callable[[bytes], bool]

    def relay(self, *, max_buffer: int = 1 << 20) -> Relay:
        """A fresh relay."""
        facts = SessionFacts(SESSION, b"12345678", "test", Clearance(SEAL, SESSION, False), 1 << 20, max_buffer)
        return self.spec.relay(self.dialled(), self.spec.login(LoginOptions()), facts)


TEXTS = (
    "select 1",
    "update t",
    "error now",
    "bad text",
    "begin",
    "commit",
    "rollback",
    "set path b",
    "set path c",
    "copy in",
    "",
)
NAMES = ("", "a", "b")


def _analyse(command: Command) -> Analysis:
    if command.analysis is not None:
        return command.analysis
    changes = {
        "begin": {SessionChange.TRANSACTION},
        "commit": {SessionChange.TRANSACTION},
        "rollback": {SessionChange.TRANSACTION, SessionChange.SETTINGS},
        "set": {SessionChange.SETTINGS},
    }.get(command.text.split(" ")[0], set())
    word = command.text.split(" ")[0].upper()
    info = StatementInfo(word, copy="in" if command.text == "copy in" else None, changes=frozenset(changes))
    return Analysis((), (info,), info.changes)


_names = st.sampled_from(NAMES)
_postgres_messages = st.one_of(
    st.sampled_from(TEXTS).map(Q),
    st.builds(P, st.sampled_from(TEXTS), _names),
    st.builds(lambda name, portal: B(name, portal, b"1"), _names, _names),
    st.builds(D, st.sampled_from("SP"), _names),
    st.builds(E, _names, st.sampled_from((0, 1))),
    st.builds(C, st.sampled_from("SP"), _names),
    st.sampled_from((S, S, S, H, X, COPY_DONE, copy_data(b"1\n"), copy_fail("no"))),
    st.builds(frame, st.sampled_from((b"F", b"Q", b"B", b"P", b"!", b"E")), st.binary(max_size=12)),
)

SUBJECTS = (
    Subject(
        spec=POSTGRES,
        dialled=lambda: dialled(search_path="public"),
        server=FakePostgres,
        client=st.lists(_postgres_messages, max_size=14).map(b"".join),
        analyse=_analyse,
        command=Q("update t"),
        is_refusal=lambda data: "E:42501" in kinds(data),
    ),
)
