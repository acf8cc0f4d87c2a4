"""People of a SAML provider log in from psql and from the command line, and end when their directory says so: all of it real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.confirm_scene import ConfirmingClients
from tests.support.postgres import PostgresServer
from tests.support.saml_scene import SamlScene
from tests.support.scene import ends, until
from tests.support.scim_source import ScimSource

SCIM_TOKEN = "Scim-Canary-9Zt4Wq1x-0123456789"
SECRET = "person1@secret-domain.example"


class SamlConfirmScene(ConfirmingClients, SamlScene):
    """Clients that wait for a browser, and a SAML provider whose directory provisions."""


@pytest.fixture(scope="module")
def place(postgres: PostgresServer) -> Iterator[SamlConfirmScene]:
    scim = {"token": "env:PARTNER_SCIM", "required": False}
    with SamlConfirmScene(
        postgres,
        listener={"browser_login": "offered"},
        partner={"scim": scim},
        environment={"PARTNER_SCIM": SCIM_TOKEN, "CORPORATE_SECRET": "unused"},
    ) as made:
        yield made


@pytest.fixture
def source(place: SamlConfirmScene) -> Iterator[ScimSource]:
    made = ScimSource(f"{place.url}/scim/v2/partner", SCIM_TOKEN, str(place.scene.authority_file))
    yield made
    for path in ("/Users", "/Groups"):
        for each in made.ask("GET", path)[1]["Resources"]:
            assert made.ask("DELETE", f"{path}/{each['id']}")[0] == 204


def login(place: SamlConfirmScene, home: Path) -> str:
    """`interpose login` from its start to its end, as zoe; answers the token."""
    process = place.start(home, "login", "--url", place.url)
    with place.person() as context:
        page = context.new_page()
        page.goto(place.opened(home))
        page.click("text=partner")
        place.provider.sign_in(page, "zoe")
        page.click("text=Let it act for me")
        page.wait_for_selector("text=Signed in")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return str(place.stored(home)["token"])


def test_a_waiting_psql_is_let_in_by_a_person_of_the_saml_provider(place: SamlConfirmScene) -> None:
    psql = place.piped("-c", "select 41 + 1")
    with place.person() as context:
        code = place.code_of(psql)
        page = place.sign_in(context)
        page.goto(f"{place.url}/confirm")
        place.approve(page, code)
        out, told = ends(psql)
        assert (out.strip(), psql.returncode) == ("42", 0), told
        # The page may also be where it begins: the provider's answer is posted, and leads back to the question.
        other = place.piped("-c", "select 40 + 3")
        code = place.code_of(other)
        context.clear_cookies(domain="localhost")
        page.goto(f"{place.url}/confirm")
        page.click("text=partner")
        page.wait_for_selector("#code")
        place.approve(page, code)
        assert ends(other)[0].strip() == "43"
    session = place.scene.events("session.opened", method="browser")[-1]["fields"]
    assert (session["provider"], session["subject"]) == ("partner", "e-1")
    decided = place.scene.events("login.decided", how="browser")[-1]["fields"]
    assert (decided["provider"], decided["method"]) == ("partner", "saml")


def test_the_command_line_signs_in_by_saml(place: SamlConfirmScene, tmp_path: Path) -> None:
    token = login(place, tmp_path)
    assert place.scene.psql("zoe", "shop", "select 1", token=token).stdout.strip() == "1"
    status, told = place.interpose(tmp_path, "whoami")
    assert status == 0, told
    assert "zoe" in told
    assert place.interpose(tmp_path, "logout")[0] == 0
    assert "authentication failed" in place.scene.psql("zoe", "shop", "select 1", token=token).stderr


def test_the_directory_of_a_saml_provider_gives_groups_and_ends_people(
    place: SamlConfirmScene, source: ScimSource, tmp_path: Path
) -> None:
    user = source.user("e-1", "zoe@partner.example")
    readers, _ = source.group("pii-readers"), source.group("gateway-admins", user)
    token = login(place, tmp_path)
    # `memberOf` says support; the directory's word counts, and what the mapping does not allow is dropped.
    assert place.scene.events("principal.learned", principal="zoe")[-1]["fields"]["groups"] == []
    waiting = place.piped("-c", "select pg_sleep(600)")
    with place.person() as context:
        code = place.code_of(waiting)
        page = place.sign_in(context)
        page.goto(f"{place.url}/confirm")
        place.approve(page, code)
    with place.scene.connect("zoe", "shop", token=token) as session:
        look = "select email from customers where id = 1"
        assert SECRET not in str(session.execute(look).fetchone())
        added = {"op": "Add", "path": "members", "value": [{"value": user}]}
        assert source.patch(f"/Groups/{readers}", added)[0] == 200
        until(lambda: SECRET in str(session.execute(look).fetchone()), 30, "the group")
        assert source.patch(f"/Users/{user}", {"op": "replace", "path": "active", "value": False})[0] == 200

        def over() -> bool:
            try:
                session.execute("select 1")
            except psycopg.Error:
                return True
            return False

        until(over, 30, "the end of the session")
    assert ends(waiting)[0] == "", "the session that no token stands for ends as well"
    assert "authentication failed" in place.scene.psql("zoe", "shop", "select 1", token=token).stderr
    with place.person() as context:
        place.sign_in(context).wait_for_selector("text=Not signed in")
    assert place.scene.events("login.failed", reason="person_deactivated", provider="partner")
