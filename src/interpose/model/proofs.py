"""Proof values: the right to dial, to send and to show are values, not flags.

Only `engine.admit`, `engine.gate` and `engine.release` may mint them (they import `seal_of_the_engine`; import-linter
and `tests/arch` hold that). Python is no sandbox: this stops forgetting, not malice.
"""

from __future__ import annotations

from typing import Final, final

from interpose.model.ids import ConnectionName, SessionId

_SEAL: Final = object()


class ProofError(RuntimeError):
    """A proof was forged, spent twice or used for something else: our bug, and the session is closed."""


def seal_of_the_engine() -> object:
    """The seal that minting asks for. Importing this outside `interpose.engine` fails the build."""
    return _SEAL


@final
class Grant:
    """The right to dial one connection for one session, once."""

    __slots__ = ("_spent", "connection", "session")

    def __init__(self, seal: object, session: SessionId, connection: ConnectionName) -> None:
        """Mint; raises `ProofError` without the engine's seal."""
        if seal is not _SEAL:
            raise ProofError("a grant can only be made by the engine")
        self.session = session
        self.connection = connection
        self._spent = False

    @property
    def spent(self) -> bool:
        """Whether the right was used; a credential is fetched before that, never after."""
        return self._spent

    def spend(self, connection: ConnectionName) -> None:
        """Use the right; raises `ProofError` for another connection or a second time."""
        if self._spent or connection != self.connection:
            raise ProofError("a grant is spent once, for its own connection")
        self._spent = True


@final
class Permit:
    """The right to send one judged command. `sequence` is the audit event that recorded the decision.

    `spend` is called by the driver when the command's first bytes go up; parts of the same command (COPY data) follow under the
    open permit until `close`.
    """

    __slots__ = ("_state", "sequence")

    def __init__(self, seal: object, sequence: int) -> None:
        """Mint; raises `ProofError` without the engine's seal."""
        if seal is not _SEAL:
            raise ProofError("a permit can only be made by the engine")
        self.sequence = sequence
        self._state = 0

    def spend(self) -> None:
        """Use the right; raises `ProofError` the second time."""
        if self._state:
            raise ProofError("a permit is spent once")
        self._state = 1

    def check_part(self) -> None:
        """Raise `ProofError` unless the permit was spent and is not closed: parts follow their command."""
        if self._state != 1:
            raise ProofError("a part needs the open permit of its command")

    def close(self) -> None:
        """End the command: no part may follow."""
        self._state = 2


@final
class Clearance:
    """The right to show upstream bytes to the client: each result's, after its masking plan was made."""

    __slots__ = ("masked", "session")

    def __init__(self, seal: object, session: SessionId, masked: bool) -> None:
        """Mint; raises `ProofError` without the engine's seal. `masked` says that a masking plan is applied."""
        if seal is not _SEAL:
            raise ProofError("a clearance can only be made by the engine")
        self.session = session
        self.masked = masked
