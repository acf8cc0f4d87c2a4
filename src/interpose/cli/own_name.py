"""Whose name a native client is given: the one that is told, else that of the proof that this command would use."""

from __future__ import annotations

import os
from typing import Final

from interpose.cli.client import AdminClient, ServerError
from interpose.cli.stored_login import read_login
from interpose.model.errors import ClientError

TOKEN_VARIABLE: Final = "INTERPOSE_TOKEN"  # noqa: S105 -- a name


def name_for_ssh(given: str | None, server: str | None) -> str:
    """The name that is told, else that of the token in the environment, else that of `interpose login`: the order of every command."""
    if given is not None:
        return given
    if os.environ.get(TOKEN_VARIABLE):
        return token_name(server)
    stored = read_login()
    if stored is None:
        raise ClientError("whose name?", hint="give it with `--as`, or run `interpose login`")
    return stored.principal


def token_name(server: str | None) -> str:
    """Whose token it is: the gateway says so, and refuses one that is not valid any more."""
    try:
        answer = AdminClient(server).get("/v1/whoami", dict[str, str | list[str] | None])
    except ServerError as error:
        if error.code == "authentication_failed":
            raise ClientError(
                f"the access token in {TOKEN_VARIABLE} is not valid, or not any more",
                hint="tokens expire and can be revoked: get a new one",
            ) from error
        raise ClientError(
            "the gateway could not be asked whose token this is",
            detail=error.public_message,
            hint="give your principal's name with `--as`, or the admin API's address with `--server`",
        ) from error
    return str(answer["name"])
