"""The whole error tree, split by whose fault it is.

`public_message` is safe to show to a client; `detail` is for operators and may name hosts and files, never a value
or a credential. A refusal is not an error: see `refusal.Refusal`.
"""

from __future__ import annotations


class InterposeError(Exception):
    """Base of every error that Interpose raises on purpose."""

    code = "internal_error"

    def __init__(self, public_message: str, *, detail: str = "", hint: str = "") -> None:
        """`public_message`: lower case, no full stop; `hint`: what to do next."""
        super().__init__(public_message)
        self.public_message = public_message
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        """The public message, then detail and hint where there are any."""
        parts = [self.public_message]
        if self.detail:
            parts.append(f"({self.detail})")
        if self.hint:
            parts.append(f"— {self.hint}")
        return " ".join(parts)


class ClientError(InterposeError):
    """The client broke its protocol or asked for something that does not exist."""

    code = "client_error"


class AuthenticationError(ClientError):
    """The client did not prove who it is; the public message never says which half was wrong.

    `detail` is a machine word for the audit chain and for nobody else; `provider` the identity provider that was asked.
    """

    code = "authentication_failed"

    def __init__(self, public_message: str, *, detail: str = "", hint: str = "", provider: str = "") -> None:
        """`provider` is the name in the configuration, empty when none was asked."""
        super().__init__(public_message, detail=detail, hint=hint)
        self.provider = provider


class UpstreamError(InterposeError):
    """The upstream is down, refused the gateway's credential, or broke its protocol."""

    code = "upstream_error"


class ConfigurationError(InterposeError):
    """Configuration or policy is wrong. `problems` has one entry a fault, each with file and line."""

    code = "configuration_error"

    def __init__(
        self, public_message: str, *, problems: tuple[Problem, ...] = (), detail: str = "", hint: str = ""
    ) -> None:
        """`problems` is every fault found, not only the first."""
        super().__init__(public_message, detail=detail, hint=hint)
        self.problems = problems

    def __str__(self) -> str:
        """The message and each problem on a line of its own."""
        return "\n".join([super().__str__(), *(f"  {problem}" for problem in self.problems)])


class Problem:
    """One fault in a file: where it is, what is wrong, and a suggestion."""

    __slots__ = ("column", "file", "hint", "line", "message")

    def __init__(
        self, message: str, *, file: str = "", line: int | None = None, column: int | None = None, hint: str = ""
    ) -> None:
        """`line` and `column` are 1-based."""
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.hint = hint

    def __str__(self) -> str:
        """`file:line:column: message (hint)`."""
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part not in ("", None))
        text = f"{where}: {self.message}" if where else self.message
        return f"{text} ({self.hint})" if self.hint else text

    def __eq__(self, other: object) -> bool:
        """Equal when they read alike."""
        return isinstance(other, Problem) and str(self) == str(other)

    def __hash__(self) -> int:
        """As it reads."""
        return hash(str(self))


class RecordingError(InterposeError):
    """The record could not be written; whatever needed it is refused."""

    code = "audit_unavailable"


class StoreError(InterposeError):
    """The state store failed; whatever needed it is refused."""

    code = "store_unavailable"


class ProviderError(InterposeError):
    """An identity provider is down, misconfigured, or broke its protocol; nobody is let in by it meanwhile."""

    code = "provider_unavailable"


class SecretError(InterposeError):
    """The upstream credential could not be had; the public message never says more than that."""

    code = "credential_unavailable"


class Malformed(UpstreamError):  # noqa: N818 - a property of the bytes, and the name that the kernels' contract uses
    """The upstream's rows are not framed as its protocol says; the result is refused, nothing of it is guessed at."""

    code = "malformed_result"


class Unmaskable(InterposeError):  # noqa: N818 - see Malformed
    """A value must be hidden and no safe replacement exists for it: the result is refused, never shown as it is."""

    code = "unmaskable"
