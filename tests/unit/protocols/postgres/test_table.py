"""The message table."""

from interpose.protocols.intents import Treatment
from interpose.protocols.postgres.messages import DECODERS
from interpose.protocols.postgres.table import MESSAGE_TABLE


def test_what_runs_something_is_a_command() -> None:
    commands = {kind for kind, rule in MESSAGE_TABLE.items() if rule.treatment is Treatment.COMMAND}
    assert commands == {b"Q", b"P", b"E"}


def test_function_calls_are_refused() -> None:
    assert MESSAGE_TABLE[b"F"].treatment is Treatment.REFUSED


def test_every_type_that_is_not_refused_is_decoded() -> None:
    assert {kind for kind, rule in MESSAGE_TABLE.items() if rule.treatment is not Treatment.REFUSED} <= set(DECODERS)
