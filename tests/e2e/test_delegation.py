"""Agents that act for people: token exchange with a workload's own token and a signed-in person's, and `interpose delegate`."""

from __future__ import annotations

import json
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.postgres import PostgresServer
from tests.support.scene import CLASSIFICATIONS, POLICY, PRINCIPALS, ends, until
from tests.support.sign_in_scene import SignInScene

SECRET: Final = "a client's secret that only this test knows"
GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
DELEGATION: Final = """
@id("agents-act-for-support")
permit (principal is Agent, action == Action::"act_for", resource is User in Group::"support")
when { context has task };

@id("support-inserts-nothing")
@reason("support only reads")
forbid (principal in Group::"support", action == Action::"insert", resource);
"""

TOLD: Final = (("session.opened", {"acting_for": "zoe"}), ("token.created", {"method": "exchange"}))


class Place(SignInScene):
    """The scene of signing in, with an issuer of workloads' tokens and an agent of the principals file."""

    def __init__(self, postgres: PostgresServer) -> None:
        robot = {
            "client_id": "fixer",
            "client_secret": SECRET,
            "grant_types": ["client_credentials"],
            "redirect_uris": [],
            "response_types": [],
            "token_endpoint_auth_method": "client_secret_post",
        }
        super().__init__(
            postgres,
            clients=[robot],
            resources={"urn:agents": "agents"},
            policy={"shop.cedar": POLICY + DELEGATION, "classifications.yaml": CLASSIFICATIONS},
            principals=PRINCIPALS + "  - {name: helper, kind: agent, groups: [pii-readers]}\n",
        )

    def more_providers(self) -> dict[str, object]:
        return {
            "robots": {
                "type": "jwt",
                "issuer": self.provider.issuer,
                "kind": "agent",
                "audience": "agents",
                "allow_plaintext_keys_on_loopback": True,
                "mapping": {"groups": {"claim": "roles", "allow": ["pii-readers"]}},
            }
        }

    def proof(self) -> str:
        """The agent's own token, of the real provider."""
        self.provider.change(token_claims={"fixer": {"roles": ["pii-readers"]}}, token_seconds=600)
        return self.provider.client_token("fixer", SECRET, "urn:agents")

    def exchange(self, *more: tuple[str, str], **changes: str | None) -> tuple[int, dict[str, Any], str]:
        """Ask the public address; answers status, body and the cache header."""
        form = {
            "grant_type": GRANT,
            "subject_token_type": ACCESS_TOKEN,
            "actor_token_type": JWT,
            "task": "tidy up ticket 4711",
            **changes,
        }
        fields = [(name, value) for name, value in form.items() if value is not None] + list(more)
        request = urllib.request.Request(f"{self.url}/oauth/token", urllib.parse.urlencode(fields).encode())
        trust = ssl.create_default_context(cafile=str(self.scene.authority_file))
        try:
            with urllib.request.urlopen(request, timeout=30, context=trust) as answer:
                return answer.status, json.loads(answer.read()), answer.headers["cache-control"]
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), error.headers["cache-control"]


@pytest.fixture(scope="module")
def place(postgres: PostgresServer) -> Iterator[Place]:
    with Place(postgres) as made:
        yield made


def test_an_agent_exchanges_its_own_token_and_a_persons(place: Place, tmp_path: Path) -> None:
    person = place.command_line(tmp_path)["token"]
    proof = place.proof()
    scene = place.scene
    # The agent by itself: it sees addresses, and may insert.
    alone = scene.psql("fixer", "shop", "select email from customers where id = 1", token=proof)
    assert alone.stdout.strip() == "person1@secret-domain.example", alone.stderr

    earlier = [len(scene.events(kind, **of)) for kind, of in TOLD]
    status, made, cached = place.exchange(("audience", "shop"), subject_token=person, actor_token=proof)
    assert (status, made.get("token_type"), cached) == (200, "Bearer", "no-store"), made
    assert 0 < made["expires_in"] <= 600, "never longer than the agent's own proof"
    token = made["access_token"]

    seen = scene.psql("fixer", "shop", "select email from customers where id = 1", token=token)
    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.strip() not in ("", "person1@secret-domain.example"), "what is hidden from the person is hidden"
    refused = scene.psql("fixer", "shop", "insert into notes (body) values ('x')", token=token)
    assert "`zoe`, for whom this acts, may not do it either: support only reads" in refused.stderr
    done = scene.psql("fixer", "shop", "insert into notes (body) values ('mine')", token=proof)
    assert done.returncode == 0, done.stderr
    elsewhere = scene.psql("fixer", "open", "select 1", token=token)
    assert "there is no connection `open` that you may use" in elsewhere.stderr
    assert scene.events("login.failed", reason="narrowed")
    other = scene.psql("zoe", "shop", "select 1", token=token)
    assert "authentication failed" in other.stderr, "it is the agent's token and nobody else's"

    opened, created = (scene.events(kind, **of)[before] for (kind, of), before in zip(TOLD, earlier, strict=True))
    assert (opened["actor"], opened["fields"]["task"]) == ("Agent:fixer for zoe", "tidy up ticket 4711")
    assert created["fields"]["connections"] == ["shop"] and created["fields"]["actor_method"] == "jwt"
    assert (created["fields"]["provider"], created["fields"]["subject"]) == ("corporate", "zoe-1")
    row = until(
        lambda: next((each for each in scene.sessions() if each["principal"] == "Agent:fixer for zoe"), None),
        what="the session in the index",
    )
    assert row["details"]["task"] == "tidy up ticket 4711" and row["details"]["acting_for"] == "zoe"
    told = scene.gateway.interpose("sessions", "show", row["id"], token=scene.token("carol")).stdout
    assert "tidy up ticket 4711" in told

    # The person signs out: what acts for them ends, a live session too.
    live = scene.start_psql("fixer", "shop", token=token)
    assert live.stdin is not None and live.stdout is not None
    live.stdin.write("select 'alive';\n")
    live.stdin.flush()
    assert live.stdout.readline().strip() == "alive"
    status, out = place.interpose(tmp_path, "logout")
    assert status == 0, out
    until(lambda: scene.events("session.closed", reason="token_revoked"), 10, "the end of the agent's session")
    live.stdin.write("select 1;\n")
    assert "revoked" in ends(live)[1]
    assert "authentication failed" in scene.psql("fixer", "shop", "select 1", token=token).stderr


def test_what_is_not_proven_or_not_permitted_is_told_in_oauths_words(place: Place, tmp_path: Path) -> None:
    person, proof = place.command_line(tmp_path)["token"], place.proof()
    status, error, cached = place.exchange(subject_token=person, actor_token=proof, task=None)
    assert (status, error["error"], cached) == (400, "invalid_request", "no-store")
    assert "act_for_not_permitted" in error["error_description"], "policy asks for a task"
    assert place.scene.events("delegation.refused", reason="act_for_not_permitted", person="zoe", agent="fixer")
    carol = place.scene.token("carol")
    status, error, _ = place.exchange(subject_token=carol, actor_token=proof)
    assert "`fixer` to act for `carol`" in error["error_description"]
    status, error, _ = place.exchange(("audience", "nowhere"), subject_token=person, actor_token=proof)
    assert (status, error["error"]) == (400, "invalid_target")
    # An agent's token is no person's proof, and a person's no agent's.
    for subject, actor, word in ((proof, proof, "not_a_person"), (person, person, "not_an_agent")):
        status, error, _ = place.exchange(subject_token=subject, actor_token=actor)
        assert (status, error["error"]) == (400, "invalid_request") and word in error["error_description"]
    status, made, _ = place.exchange(("audience", "shop"), subject_token=person, actor_token=proof)
    assert status == 200
    status, error, _ = place.exchange(
        subject_token=person, actor_token=made["access_token"], actor_token_type=ACCESS_TOKEN
    )
    assert "already_delegated" in error["error_description"]


def test_a_person_starts_an_agent_with_one_command(place: Place, tmp_path: Path) -> None:
    place.command_line(tmp_path)
    status, out = place.interpose(
        tmp_path, "delegate", "helper", "--task", "look", "--connection", "shop", "--ttl", "30m", "--",
        sys.executable, "-m", "interpose", "whoami",
    )  # fmt: skip
    assert status == 0, out
    told = dict(line.split(maxsplit=1) for line in out.strip().splitlines())
    assert (told["name"], told["acting_for"], told["task"], told["connections"]) == ("helper", "zoe", "look", "shop")
    status, out = place.interpose(tmp_path, "delegate", "helper", "--task", "look", "--connection", "shop", "--quiet")
    assert status == 0, out
    token = out.strip()
    done = place.scene.psql("helper", "shop", "select count(*) from orders", token=token)
    assert done.stdout.strip() == "200", done.stderr
    assert "no connection `open`" in place.scene.psql("helper", "open", "select 1", token=token).stderr
    status, out = place.interpose(tmp_path, "delegate", "shopbot", "--task", "look")
    assert status == 1 and "acts for somebody else" in out
    status, out = place.interpose(tmp_path, "delegate", "helper")
    assert status == 1 and "does not permit `helper` to act for `zoe`" in out
