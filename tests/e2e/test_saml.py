"""Signing in by SAML with a real SimpleSAMLphp and a real browser, and what another browser can do with somebody's answer."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

from tests.support.postgres import PostgresServer
from tests.support.saml import signer
from tests.support.saml_scene import USERS, SamlScene
from tests.support.scene import until


@pytest.fixture(scope="module")
def place(postgres: PostgresServer) -> Iterator[SamlScene]:
    with SamlScene(postgres) as made:
        made.scene.token("carol")  # while the configuration is whole: making one reads it
        yield made


@pytest.fixture(autouse=True)
def _as_it_was(place: SamlScene) -> Iterator[None]:
    yield
    place.provider.users(USERS)
    place.provider.change(assertion__encryption=False)


def test_a_person_signs_in_and_out_with_a_browser(place: SamlScene) -> None:
    with place.person() as context:
        page = place.sign_in(context)
        page.wait_for_selector("text=You are signed in")
        assert page.url == f"{place.url}/"
        shown = page.inner_text("main")
        assert "zoe" in shown
        assert "support" in shown
        cookies = {each["name"]: each for each in context.cookies(place.url)}
        assert cookies["__Host-interpose"]["sameSite"] == "Lax"
        # The one cookie that comes with another site's form names nobody.
        assert cookies["__Host-interpose-posted-login"]["sameSite"] == "None"
        assert all(each["secure"] and each["httpOnly"] for each in cookies.values())
        event = place.scene.events("login.succeeded", principal="zoe")[-1]
        assert event["fields"]["issuer"] == f"{place.provider.url}/idp"
        assert (event["fields"]["method"], event["fields"]["subject"]) == ("saml", "e-1")
        assert event["fields"]["source"] == "127.0.0.1"
        page.click("text=Sign out")
        page.wait_for_url(f"{place.url}/signed-out")


def test_the_provider_refuses_a_request_that_the_gateway_did_not_sign(place: SamlScene) -> None:
    with place.person() as context:
        page = context.new_page()
        answer = context.request.get(f"{place.url}/login/partner", max_redirects=0)
        target = answer.headers["location"]
        page.goto(target.partition("&SigAlg=")[0])
        assert "signed" in page.inner_text("body").lower() or "error" in page.inner_text("body").lower()
        assert not page.query_selector("input[name=password]")
        page.goto(target)
        page.wait_for_selector("input[name=password]")


def test_an_assertion_can_be_encrypted(place: SamlScene) -> None:
    place.provider.change(assertion__encryption=True)
    for name in ("sealed", "partner"):
        with place.person() as context:
            form = place.caught(context, name=name)
            assert b"EncryptedAssertion" in base64.b64decode(form["SAMLResponse"])
            place.post(context, form, name).wait_for_selector("text=You are signed in")
    place.provider.change(assertion__encryption=False)
    with place.person() as context:
        place.sign_in(context, name="sealed").wait_for_selector("text=Not signed in")
    assert place.failures()[-1] == "not_encrypted"


def test_a_group_that_changes_at_the_provider_counts_at_the_next_login(place: SamlScene) -> None:
    with place.person() as context:
        assert "pii-readers" not in place.sign_in(context).inner_text("main")
    place.provider.users({"zoe": {**USERS["zoe"], "memberOf": ["pii-readers", "not-allowed"]}})
    with place.person() as context:
        shown = place.sign_in(context).inner_text("main")
    assert "pii-readers" in shown
    assert "not-allowed" not in shown
    learned = place.scene.events("principal.learned", principal="zoe")[-1]
    assert (learned["fields"]["groups_gained"], learned["fields"]["groups_lost"]) == (["pii-readers"], ["support"])


def test_a_name_of_the_principals_file_is_not_the_providers_to_give(place: SamlScene) -> None:
    with place.person() as context:
        place.sign_in(context, "eve").wait_for_selector("text=Not signed in")
    assert place.failures()[-1] == "name_is_in_the_principals_file"


# The provider begins


def test_a_provider_does_not_begin_unless_it_may(place: SamlScene) -> None:
    with place.person() as context:
        place.begin_at_provider(context, "partner").wait_for_selector("text=Not signed in")
    assert place.failures()[-1] == "unsolicited_answer"


def test_who_comes_from_the_provider_is_asked_first(place: SamlScene) -> None:
    with place.person() as context:
        page = place.begin_at_provider(context, "open")
        page.wait_for_selector("text=Sign in as")
        assert "Open House" in page.inner_text("main")
        assert "__Host-interpose" not in {each["name"] for each in context.cookies(place.url)}
        page.click("text=Yes, sign me in")
        page.wait_for_selector("text=You are signed in")
    with place.person() as context:
        page = place.begin_at_provider(context, "open")
        page.click("text=Not me")
        page.wait_for_selector("text=Choose where you are known")
        assert "__Host-interpose" not in {each["name"] for each in context.cookies(place.url)}


# Another browser, and another time


def test_an_answer_counts_once_in_whatever_browser(place: SamlScene) -> None:
    start = f"{place.provider.url}/saml2/idp/SSOService.php?spentityid={place.entity('open')}"
    with place.person() as victim, place.person() as thief:
        form = place.caught(victim, start=start)
        place.post(victim, form, "open").wait_for_selector("text=Sign in as")
        place.post(victim, form, "open").wait_for_selector("text=Not signed in")
        place.post(thief, form, "open").wait_for_selector("text=Not signed in")
    assert place.failures()[-2:] == ["assertion_used", "assertion_used"]
    # Also after a restart.
    place.scene.gateway.stop()
    place.scene.gateway.start(timeout=90)
    with place.person() as thief:
        place.post(thief, form, "open").wait_for_selector("text=Not signed in")
    assert place.failures()[-1] == "assertion_used"


def test_an_answer_counts_in_the_browser_alone_that_asked_for_it(place: SamlScene) -> None:
    with place.person() as victim, place.person() as thief:
        form = place.caught(victim)
        for name in ("partner", "open"):
            place.post(thief, form, name).wait_for_selector("text=This login is not known")
            assert place.failures()[-1] == "state_unknown"
        # With a login of the thief's own, and the answer to the victim's.
        own = place.caught(thief)
        mixed = {**own, "SAMLResponse": form["SAMLResponse"]}
        place.post(thief, mixed).wait_for_selector("text=Not signed in")
        assert place.failures()[-1] == "wrong_request"
        # Nobody is signed in as the thief by a page of the thief's, either.
        place.post(victim, place.caught(thief)).wait_for_selector("text=This login is not known")
        assert "__Host-interpose" not in {each["name"] for each in victim.cookies(place.url)}


def test_an_answer_that_was_changed_on_the_way(place: SamlScene) -> None:
    with place.person() as context:
        form = place.caught(context)
        root = etree.fromstring(base64.b64decode(form["SAMLResponse"]))
        (value,) = root.xpath("//*[@Name='memberOf']/*")
        value.text = "dba"
        form["SAMLResponse"] = base64.b64encode(etree.tostring(root)).decode()
        place.post(context, form).wait_for_selector("text=Not signed in")
    assert place.failures()[-1] == "bad_signature"


def test_answers_are_taken_by_post_alone(place: SamlScene) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = base64.b64encode(packer.compress(b"<a>" + b" " * 50_000_000) + packer.flush()).decode()
    with place.person() as context:
        url = f"{place.url}/saml/partner/acs"
        assert context.request.get(f"{url}?SAMLResponse=PGEvPg%3D%3D").status == 405
        answer = context.request.post(url, form={"SAMLResponse": bomb[:300_000]})
        assert answer.status == 403
    assert place.failures()[-1] == "xml_malformed"


# A reload


def reload(place: SamlScene) -> Any:
    """`interpose reload`, by somebody who may."""
    return place.scene.gateway.interpose("reload", token=place.scene.token("carol"), check=False)


def test_a_key_that_the_provider_rotates_to_counts_once_its_metadata_is_there(place: SamlScene) -> None:
    file, certificates = place.scene.folder / "idp.xml", place.provider.folder / "cert"
    (certificates / "new.key").write_text(signer(11).key)
    (certificates / "new.crt").write_text(signer(11).certificate)
    place.provider.change(privatekey="new.key", certificate="new.crt")
    with place.person() as context:
        place.sign_in(context).wait_for_selector("text=Not signed in")
    assert place.failures()[-1] == "bad_signature"
    loaded = len(place.scene.events("snapshot.loaded"))
    with place.person() as context:
        waiting = context.new_page()
        waiting.goto(f"{place.url}/login/partner")
        # The file is looked at by itself: nobody has to say so.
        file.write_bytes(place.provider.metadata())
        until(lambda: len(place.scene.events("snapshot.loaded")) > loaded, 60, "the reload")
        # Whoever was under way comes back to the same provider.
        place.provider.sign_in(waiting, "zoe")
        waiting.wait_for_selector("text=You are signed in")


def test_metadata_that_cannot_be_used_changes_nothing_and_is_reported(place: SamlScene) -> None:
    file = place.scene.folder / "idp.xml"
    good = file.read_bytes()
    try:
        file.write_bytes(good.replace(b"IDPSSODescriptor", b"SPSSODescriptor"))
        done = reload(place)
        assert done.returncode == 1
        assert "describes 0 identity providers" in done.stderr
        assert place.scene.events("snapshot.rejected")
        with place.person() as context:
            place.sign_in(context).wait_for_selector("text=You are signed in")
    finally:
        file.write_bytes(good)
    assert reload(place).returncode == 0


def test_a_provider_that_is_changed_or_removed_lets_nobody_in_who_was_under_way(place: SamlScene) -> None:
    gateway, before = place.scene.gateway, place.scene.gateway.settings["identity"]
    assert isinstance(before, dict)
    try:
        with place.person() as changed, place.person() as removed, place.person() as asked:
            pages = [(changed.new_page(), "partner"), (removed.new_page(), "sealed")]
            for page, name in pages:
                page.goto(f"{place.url}/login/{name}")
                page.wait_for_selector("input[name=password]")
            confirming = place.begin_at_provider(asked, "open")
            confirming.wait_for_selector("text=Sign in as")
            providers = {name: dict(each) for name, each in before["providers"].items() if name == "partner"}
            providers["partner"]["lifetime"] = "1h"
            gateway.settings["identity"] = {"providers": providers}
            gateway.write()
            done = reload(place)
            assert done.returncode == 0, done.stderr
            confirming.click("text=Yes, sign me in")
            confirming.wait_for_selector("text=The identity provider has changed")
            place.provider.change(assertion__encryption=True)
            for page, _ in pages:
                place.provider.sign_in(page, "zoe")
                page.wait_for_selector("text=The identity provider has changed")
            assert place.failures()[-2:] == ["provider_changed", "provider_changed"]
            page, _ = pages[0]
            # The provider has its own session of this person and asks nothing.
            page.goto(f"{place.url}/login/partner")
            page.wait_for_selector("text=You are signed in")
    finally:
        gateway.settings["identity"] = before
        gateway.write()
        assert reload(place).returncode == 0
