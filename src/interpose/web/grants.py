"""What programs have asked for and people have not answered yet, and codes that wait to be exchanged. In memory, bounded, each good once.

Two ways (RFC 8252 with PKCE, RFC 8628): a program on the machine of the browser gets a code over loopback; a program elsewhere
shows a short code, which somebody types.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from interpose.engine.signing_in import SignedIn
from interpose.engine.user_code import user_code
from interpose.web.browsers import Kept
from interpose.web.ports import Issued
from interpose.web.secret_texts import secret_text

if TYPE_CHECKING:
    from interpose.engine.ports import Clock, Ids

CLIENT_ID: Final = "interpose-cli"
REQUEST_SECONDS: Final = 600.0
CODE_SECONDS: Final = 60.0
POLL_SECONDS: Final = 5.0
_LOOPBACK: Final = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]{0,4})/callback")
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{22,128}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class LoopbackRequest:
    """A program on the browser's machine that asks to act for whoever sits there.

    `anew_since`: the person must be authenticated anew after this moment (wall clock); None where an earlier login will do.
    """

    redirect_uri: str
    state: str
    challenge: str
    client: str
    source: str
    anew_since: float | None = None


@dataclass(slots=True)
class DeviceRequest:
    """A program that shows `code`. `who` is set when somebody has approved it; `refused` when somebody said no. `again` as `prompt=login`."""

    code: str
    client: str
    source: str
    asked_at: float
    refused: bool = False
    who: SignedIn | None = field(default=None, repr=False)
    polled_at: float | None = None
    again: bool = False

    @property
    def anew_since(self) -> float | None:
        """As of a `LoopbackRequest`."""
        return self.asked_at if self.again else None


@dataclass(frozen=True, slots=True)
class Code:
    """An answer that waits to be fetched."""

    who: SignedIn
    request: LoopbackRequest


def asks_again(fields: Mapping[str, str]) -> bool:
    """Whether a program wants the person to be authenticated anew (`prompt=login`, OpenID Connect Core 1.0 §3.1.2.1)."""
    return fields.get("prompt") == "login"


def read_loopback_request(query: Mapping[str, str], source: str, now: float) -> LoopbackRequest | None:
    """The request in a query, None when anything of it is not exactly as it must be: then nobody is sent anywhere."""
    redirect = _LOOPBACK.fullmatch(query.get("redirect_uri", ""))
    if (
        query.get("response_type") != "code"
        or query.get("client_id") != CLIENT_ID
        or query.get("code_challenge_method") != "S256"
        or redirect is None
        or not 1024 <= int(redirect[1]) <= 65535
        or not _STATE.fullmatch(query.get("state", ""))
        or not _CHALLENGE.fullmatch(query.get("code_challenge", ""))
    ):
        return None
    name = client_name(query.get("client_name", ""))
    anew_since = now if asks_again(query) else None
    return LoopbackRequest(redirect[0], query["state"], query["code_challenge"], name, source, anew_since)


def client_name(text: str) -> str:
    """What a program calls itself, as it is shown to people: short, and nothing that is not seen."""
    seen = "".join(each if each.isprintable() else "?" for each in text.strip())
    return seen[:60] or "a program without a name"


class Grants:
    """All of them."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        """Nothing was asked."""
        self._clock = clock
        self._ids = ids
        self._requests: Kept[LoopbackRequest] = Kept(clock)
        self._codes: Kept[Code] = Kept(clock)
        self._spent: Kept[Issued] = Kept(clock)
        self._devices: Kept[DeviceRequest] = Kept(clock)
        self._typed: Kept[DeviceRequest] = Kept(clock)

    def now(self) -> float:
        """The wall clock by which requests are dated."""
        return self._clock.wall()

    # --- over loopback

    def ask(self, request: LoopbackRequest) -> str:
        """Keep a request; answers its id."""
        name = self._secret()
        self._requests.put(name, request, REQUEST_SECONDS)
        return name

    def request(self, name: str) -> LoopbackRequest | None:
        """The request with this id."""
        return self._requests.get(name)

    def answer(self, name: str) -> LoopbackRequest | None:
        """The request with this id, which is over now."""
        return self._requests.take(name)

    def code(self, who: SignedIn, request: LoopbackRequest) -> str:
        """A code for what was approved."""
        code = self._secret()
        self._codes.put(code, Code(who, request), CODE_SECONDS)
        return code

    def exchange(self, code: str, redirect_uri: str, verifier: str) -> Code | None:
        """What a code is good for; None when anything does not fit. INVARIANT: a code is tried once, whatever comes of it."""
        found = self._codes.take(code)
        digest = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        right = hmac.compare_digest(challenge, "" if found is None else found.request.challenge)
        if found is None or not right or not _VERIFIER.fullmatch(verifier):
            return None
        return found if found.request.redirect_uri == redirect_uri else None

    def spent(self, code: str, issued: Issued) -> None:
        """Remember what a code was exchanged for: who tries it again shows that it was stolen (RFC 6749 §4.1.2)."""
        self._spent.put(code, issued, REQUEST_SECONDS)

    def was_spent(self, code: str) -> Issued | None:
        """What a code was exchanged for before."""
        return self._spent.take(code)

    # --- by a code that people type

    def ask_device(self, client: str, source: str, *, again: bool = False) -> tuple[str, DeviceRequest]:
        """A new request, and the device code with which its program asks how it stands."""
        device = self._secret()
        code = user_code(self._ids.secret_bytes(16))
        while self._typed.get(code) is not None:
            code = user_code(self._ids.secret_bytes(16))
        request = DeviceRequest(code, client, source, self._clock.wall(), again=again)
        self._devices.put(device, request, REQUEST_SECONDS)
        self._typed.put(code, request, REQUEST_SECONDS)
        return device, request

    def typed(self, code: str) -> DeviceRequest | None:
        """The request that shows this code, and that nobody has answered."""
        return self._typed.get(code)

    def decide(self, code: str, who: SignedIn, *, approved: bool) -> DeviceRequest | None:
        """Somebody answered; None when it was answered, or is over. A code is answered once."""
        request = self._typed.take(code)
        if request is not None:
            request.who, request.refused = (who, False) if approved else (None, True)
        return request

    def poll(self, device: str) -> DeviceRequest | str:
        """The answered request, which is over now; else the error that its program is told (RFC 8628 §3.5)."""
        request = self._devices.get(device)
        if request is None:
            return "expired_token"
        now = self._clock.monotonic()
        last, request.polled_at = request.polled_at, now
        if request.refused:
            self._devices.take(device)
            return "access_denied"
        # A little less than what was asked for: clocks and networks are not even.
        if last is not None and now - last < 0.8 * POLL_SECONDS:
            return "slow_down"
        if request.who is None:
            return "authorization_pending"
        self._devices.take(device)
        return request

    def _secret(self) -> str:
        return secret_text(self._ids.secret_bytes(32))
