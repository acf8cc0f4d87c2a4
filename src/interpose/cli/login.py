"""`interpose login` and `interpose logout`: a short-lived access token by signing in with a browser, here or on another machine."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import socket
import time
import urllib.parse
import webbrowser
from typing import Annotated, Final

import typer

from interpose.cli.output import console, when
from interpose.cli.public_client import CLIENT_ID, PublicClient, PublicError
from interpose.cli.stored_login import StoredLogin, forget_login, read_login, write_login
from interpose.model.errors import ClientError

_DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_WAIT: Final = 600.0

UrlOption = Annotated[
    str | None,
    typer.Option("--url", envvar="INTERPOSE_URL", help="the gateway's public address; the last one when not given"),
]


def login(
    url: UrlOption = None,
    provider: Annotated[str | None, typer.Option("--provider", help="the identity provider to sign in with")] = None,
    device: Annotated[
        bool, typer.Option("--device", help="show a code to confirm in a browser on another machine")
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="sign in anew at the provider, also where you are signed in: for what needs a fresh login"
        ),
    ] = False,
) -> None:
    """Sign in with a browser, and keep an access token for the other commands."""
    client = PublicClient(url or _last_url())
    # Before anything is shown or opened: nobody signs in for an answer that this machine then does not take.
    client.check()
    more = {"prompt": "login"} if again else {}
    answer = _by_device(client, more) if device else _by_browser(client, provider, more)
    stored = _stored(client.url, answer)
    write_login(stored)
    console().print(f"signed in as {stored.principal} until {when(stored.expires_at)} UTC", markup=False)


def logout() -> None:
    """Revoke the access token of `interpose login`, and forget it."""
    try:
        stored = read_login()
    except ClientError:
        # It cannot be read, so it cannot be revoked; it expires by itself.
        forget_login()
        raise
    if stored is None:
        console().print("you are not signed in", markup=False)
        return
    try:
        if not stored.expired:
            PublicClient(stored.url).post("/revoke", {"token": stored.token})
    finally:
        forget_login()
    console().print(f"signed out; the token of {stored.principal} is revoked", markup=False)


def _last_url() -> str:
    stored = read_login()
    if stored is None:
        raise ClientError("which gateway?", hint="give --url https://host:port, or set INTERPOSE_URL")
    return stored.url


def _by_browser(client: PublicClient, provider: str | None, more: dict[str, str]) -> dict[str, object]:
    # Loaded when it is needed: it brings an HTTP server.
    from interpose.cli.loopback import LoopbackWait

    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    with LoopbackWait(state) as wait:
        query = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": wait.redirect_uri,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "client_name": _client_name(),
            **({"provider": provider} if provider else {}),
            **more,
        }
        address = f"{client.url}/authorize?{urllib.parse.urlencode(query)}"
        console().print("Sign in with the browser that opens. If none does, open this address here:", markup=False)
        console().print(address, markup=False, soft_wrap=True)
        webbrowser.open(address)
        answer = wait.answer(_WAIT)
        if answer.get("iss") != client.url:
            raise ClientError("the answer came from another gateway", hint="run `interpose login` again")
        if "code" not in answer:
            raise PublicError(answer.get("error", ""))
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": wait.redirect_uri,
            "code_verifier": verifier,
        }
        return client.post("/token", form)


def _by_device(client: PublicClient, more: dict[str, str]) -> dict[str, object]:
    asked = client.post("/device_authorization", {"client_name": _client_name(), **more})
    try:
        code, device = str(asked["user_code"]), str(asked["device_code"])
        interval = max(1.0, float(str(asked["interval"])))
        deadline = time.monotonic() + min(_WAIT, float(str(asked["expires_in"])))
    except (KeyError, ValueError) as error:
        raise ClientError("the gateway's answer is not understood") from error
    console().print(f"On any machine, open {client.url}/device and enter the code {code}", markup=False, soft_wrap=True)
    console().print("Confirm it only if the page shows this very code. Waiting …", markup=False)
    while time.monotonic() < deadline:
        time.sleep(interval)
        try:
            return client.post("/token", {"grant_type": _DEVICE_GRANT, "device_code": device})
        except PublicError as error:
            if error.word == "slow_down":
                interval += 5.0
            elif error.word != "authorization_pending":
                raise
    raise PublicError("expired_token")


def _stored(url: str, answer: dict[str, object]) -> StoredLogin:
    token, principal, expires = answer.get("access_token"), answer.get("principal"), answer.get("expires_at")
    if not isinstance(token, str) or not isinstance(principal, str) or not isinstance(expires, (int, float)):
        raise ClientError("the gateway's answer is not understood")
    return StoredLogin(url, principal, token, float(expires))


def _client_name() -> str:
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or "somebody"
    return f"{user}@{socket.gethostname()}"[:60]
