"""What a client is told when its session ends by a fault of the gateway's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interpose.model.refusal import Refusal
from interpose.protocols.intents import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from interpose.protocols.contract import Relay

FAULT: Final = Refusal(
    "internal_error", "internal error in the gateway; the session ends", "connect again, and report it"
)


def last_words(relay: Relay, failed: Callable[[BaseException], None]) -> bytes:
    """The protocol's own fatal error; nothing from a relay that is broken itself, of which `failed` is told."""
    try:
        return b"".join(intent.data for intent in relay.end(FAULT) if isinstance(intent, Reply))
    except Exception as error:  # noqa: BLE001 -- the session is being closed, whatever happens
        failed(error)
        return b""
