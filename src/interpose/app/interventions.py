"""What people do to a session that lives in some worker: end it, say something to its user. Told over the bus, heard by every worker."""

from __future__ import annotations

import msgspec

from interpose.engine.ports import Bus
from interpose.engine.sessions import SessionRegistry
from interpose.model.ids import SessionId
from interpose.model.refusal import Refusal

END_TOPIC = "sessions.end"
"""The bus topic on which a session is ended by the worker that has it."""
SAY_TOPIC = "sessions.say"
"""The bus topic on which a message to a session's user is passed to the worker that has it."""


class Intervention(msgspec.Struct, frozen=True):
    """What the bus carries: the session, who asks for it, and the reason or the message."""

    session: str
    by: str
    text: str = ""


def publish(bus: Bus, topic: str, intervention: Intervention) -> None:
    """Tell every worker, this one among them."""
    bus.publish(topic, msgspec.json.encode(intervention).decode())


async def hear_ends(bus: Bus, registry: SessionRegistry) -> None:
    """End what others ask to end, for ever."""
    async for payload in bus.listen(END_TOPIC):
        asked = msgspec.json.decode(payload, type=Intervention)
        message = "an administrator ended your session" + (f": {asked.text}" if asked.text else "")
        registry.end(SessionId(asked.session), Refusal("ended", message, f"talk to {asked.by}"))


async def hear_sayings(bus: Bus, registry: SessionRegistry) -> None:
    """Show users what others say to them, for ever."""
    async for payload in bus.listen(SAY_TOPIC):
        asked = msgspec.json.decode(payload, type=Intervention)
        registry.say(SessionId(asked.session), f"{asked.text} ({asked.by})")
