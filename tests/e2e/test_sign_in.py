"""Signing in through a real OpenID provider with a real browser, on the command line, and what becomes of it."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.support.postgres import PostgresServer
from tests.support.scene import PRINCIPALS, until
from tests.support.sign_in_scene import CLIENT_SECRET, USERS, SignInScene


@pytest.fixture(scope="module")
def place(postgres: PostgresServer) -> Iterator[SignInScene]:
    with SignInScene(postgres) as made:
        yield made


@pytest.fixture(autouse=True)
def _users_are_as_they_were(place: SignInScene) -> Iterator[None]:
    yield
    place.provider.change(users=USERS)


def test_a_person_signs_in_and_out_with_a_browser(place: SignInScene) -> None:
    with place.person() as context:
        page = place.sign_in(context)
        page.wait_for_selector("text=You are signed in")
        assert page.url == f"{place.url}/"
        shown = page.inner_text("main")
        assert "zoe" in shown
        assert "support" in shown
        (cookie,) = [each for each in context.cookies() if each["name"] == "__Host-interpose"]
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
        assert cookie["domain"] == "localhost"
        event = place.scene.events("login.succeeded", principal="zoe")[-1]
        assert event["fields"]["issuer"] == place.provider.issuer
        assert (event["fields"]["method"], event["fields"]["subject"]) == ("oidc", "zoe-1")
        assert event["fields"]["source"] == "127.0.0.1"
        page.click("text=Sign out")
        # The provider asks whether to end its own session, too.
        page.wait_for_url(f"{place.provider.issuer}/**")
        page.click("text=Yes, sign me out")
        page.wait_for_url(f"{place.url}/signed-out")
        page.goto(place.url)
        page.wait_for_selector("text=Choose where you are known")


def test_interpose_login_gets_a_token_that_psql_can_use(place: SignInScene, tmp_path: Path) -> None:
    stored = place.command_line(tmp_path)
    assert stored["principal"] == "zoe"
    file = tmp_path / "config" / "interpose" / "login.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "zoe" in place.interpose(tmp_path, "whoami")[1]
    done = place.scene.psql("zoe", "shop", "select email from customers where id = 1", token=stored["token"])
    assert done.returncode == 0, done.stderr
    assert "person1@secret-domain.example" not in done.stdout
    assert place.scene.events("login.decided", principal="zoe", how="browser", approved=True)
    config = str(place.scene.gateway.config)
    status, out = place.interpose(
        tmp_path, "connect", "shop", "--config", config, "--", "psql", "-Atc", "select 41 + 1"
    )
    assert (status, out.strip()) == (0, "42")
    status, out = place.interpose(tmp_path, "logout")
    assert (status, "is revoked" in out) == (0, True)
    assert not file.exists()
    done = place.scene.psql("zoe", "shop", "select 1", token=stored["token"])
    assert "authentication failed" in done.stderr


@pytest.mark.parametrize(
    ("host", "authority", "said"),
    [
        ("localhost", "", "certificate verify failed"),
        ("localhost", "/nonexistent.pem", "the authority file `/nonexistent.pem` cannot be used"),
        ("127.0.0.1", "known", "is not the gateway's public address"),
    ],
)
def test_a_gateway_that_is_not_believed_is_said_before_a_browser_opens(
    place: SignInScene, tmp_path: Path, host: str, authority: str, said: str
) -> None:
    environment = place.environment(tmp_path)
    if authority != "known":
        environment["INTERPOSE_CA_FILE"] = authority
    done = subprocess.run(
        [sys.executable, "-m", "interpose", "login", "--url", f"https://{host}:{place.port}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "opened").exists()


def test_interpose_login_device_asks_to_compare_the_code(place: SignInScene, tmp_path: Path) -> None:
    process = place.start(tmp_path, "login", "--device", "--url", place.url)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"open (https://\S+/device) and enter the code ([A-Z]{4}-[A-Z]{4})", line)
    assert found, line
    with place.person() as context:
        page = place.sign_in(context, path=f"/device?code={found[2]}")
        # A link fills the code in, and does nothing by itself.
        assert page.input_value("#code") == found[2]
        page.click("text=Go on")
        page.wait_for_selector("text=Is this your terminal?")
        assert found[2] in page.inner_text(".code")
        assert "127.0.0.1" in page.inner_text("main")
        page.click("text=It is mine, let it in")
        page.wait_for_selector("text=Done")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    done = place.scene.psql("zoe", "shop", "select 1", token=place.stored(tmp_path)["token"])
    assert done.stdout.strip() == "1", done.stderr
    assert place.scene.events("login.decided", principal="zoe", how="device", approved=True)


def test_what_is_refused_in_the_browser_is_refused_at_the_terminal(place: SignInScene, tmp_path: Path) -> None:
    process = place.start(tmp_path, "login", "--url", place.url, "--provider", "corporate")
    with place.person() as context:
        page = context.new_page()
        page.goto(place.opened(tmp_path))
        place.at_provider(page, "zoe-1")
        page.click("text=Refuse")
        page.wait_for_selector("text=Not signed in")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "refused in the browser" in out
    assert not (tmp_path / "config").exists()
    assert place.scene.events("login.decided", principal="zoe", how="browser", approved=False)


def test_a_group_that_changes_at_the_provider_changes_here(place: SignInScene, tmp_path: Path) -> None:
    token = place.command_line(tmp_path)["token"]
    secret = "person1@secret-domain.example"

    def email() -> str:
        return place.scene.psql("zoe", "shop", "select email from customers where id = 1", token=token).stdout

    assert secret not in email()
    more = {**USERS, "zoe-1": {**USERS["zoe-1"], "groups": ["support", "pii-readers", "not-allowed"]}}
    place.provider.change(users=more)
    until(lambda: secret in email(), 60, "the group")
    place.provider.change(users=USERS)
    until(lambda: secret not in email(), 60, "the end of the group")
    learned = place.scene.events("principal.learned", principal="zoe")[-1]
    assert learned["fields"]["groups_lost"] == ["pii-readers"]


def test_who_signed_in_is_not_whom_the_principals_file_then_gives_the_name(place: SignInScene, tmp_path: Path) -> None:
    """The file's `zoe` is another: what the provider's `zoe` holds gives none of the file's rights."""
    token = place.command_line(tmp_path)["token"]
    file, secret = place.scene.gateway.folder / "principals.yaml", "person1@secret-domain.example"
    email = "select email from customers where id = 1"
    with place.scene.connect("zoe", "shop", token=token) as session, place.person() as context:
        assert session.execute(email).fetchone() != (secret,)
        page = place.sign_in(context)
        page.wait_for_selector("text=You are signed in")
        try:
            file.write_text(f"{PRINCIPALS}  - {{name: zoe, kind: user, groups: [support, pii-readers]}}\n")
            place.scene.gateway.interpose("reload", token=place.scene.token("carol"))
            until(lambda: _is_over(session), 5, "the end of the session")
            done = place.scene.psql("zoe", "shop", email, token=token)
            assert (done.stdout, "authentication failed" in done.stderr) == ("", True)
            page.goto(place.url)
            page.wait_for_selector("text=Choose where you are known")
            _, own = place.scene.new_token("zoe")
            assert place.scene.psql("zoe", "shop", email, token=own).stdout.strip() == secret
        finally:
            file.write_text(PRINCIPALS)
            place.scene.gateway.interpose("reload", token=place.scene.token("carol"))
    # And the other way round: the file's token is not the provider's `zoe`.
    assert "authentication failed" in place.scene.psql("zoe", "shop", "select 1", token=own).stderr
    assert place.scene.psql("zoe", "shop", "select 1", token=token).stdout.strip() == "1"


def test_who_is_gone_at_the_provider_is_gone_here(place: SignInScene, tmp_path: Path) -> None:
    token = place.command_line(tmp_path)["token"]
    with place.scene.connect("zoe", "shop", token=token) as session:
        assert session.execute("select 1").fetchone() == (1,)
        place.provider.change(users={name: user for name, user in USERS.items() if name != "zoe-1"})
        until(lambda: place.scene.events("login.ended", principal="zoe", reason="grant_refused"), 60, "the refusal")
        until(lambda: _is_over(session), 5, "the end of the session")
    assert "authentication failed" in place.scene.psql("zoe", "shop", "select 1", token=token).stderr
    # Who proves to be there again comes in again.
    place.provider.change(users=USERS)
    before, token = token, place.command_line(_second_home(tmp_path))["token"]
    assert place.scene.psql("zoe", "shop", "select 1", token=token).stdout.strip() == "1"
    # And nothing that was given before.
    assert "authentication failed" in place.scene.psql("zoe", "shop", "select 1", token=before).stderr


def test_keys_are_rotated_while_people_sign_in(place: SignInScene) -> None:
    def signs_in() -> bool:
        with place.person() as context:
            return "You are signed in" in place.sign_in(context).inner_text("main")

    # Within the pause between two looks at the keys people wait, as they do at a second rotation; nobody gets in by an old key.
    for _ in range(2):
        place.provider.rotate()
        until(signs_in, 60, "the new key")


def test_a_provider_that_is_down_lets_nobody_in_and_ends_nobody(place: SignInScene, tmp_path: Path) -> None:
    token = place.command_line(tmp_path)["token"]
    with place.scene.connect("zoe", "shop", token=token) as session:
        place.provider.requests(forget=True)
        place.provider.mode("error")
        try:
            with place.person() as context:
                page = context.new_page()
                # The metadata is known, so the browser gets to the provider, which is broken.
                page.goto(f"{place.url}/login/corporate")
                assert "broken" in page.content()
            until(lambda: place.provider.requests().get("/token", 0) >= 2, 60, "two failed refreshes")
            assert session.execute("select 1").fetchone() == (1,)
            assert place.provider.requests()["/token"] < 10
        finally:
            place.provider.mode("up")


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ("yan-2", "domain_not_allowed"),
        ("eve-3", "name_is_in_the_principals_file"),
        ("xss-4", "no_name"),
    ],
)
def test_who_does_not_fit_the_mapping_is_refused_in_words(place: SignInScene, login: str, reason: str) -> None:
    with place.person() as context:
        page = place.sign_in(context, login)
        page.wait_for_selector("text=Not signed in")
        assert "alert(1)" not in page.content()
        assert not [each for each in context.cookies() if each["name"] == "__Host-interpose"]
    (event,) = place.scene.events("login.failed", reason=reason)
    assert (event["fields"]["provider"], event["fields"]["source"]) == ("corporate", "127.0.0.1")


def test_an_answer_for_another_browser_is_not_taken(place: SignInScene) -> None:
    """An attacker begins a login and has the victim end it: neither browser is signed in by that."""
    with place.person() as attacker, place.person() as victim:
        begun = attacker.request.get(f"{place.url}/login/corporate", max_redirects=0)
        page = victim.new_page()
        page.goto(begun.headers["location"])
        place.at_provider(page, "zoe-1")
        page.wait_for_selector("text=This login is not known")
        callback = page.url
        page.goto(place.url)
        page.wait_for_selector("text=Choose where you are known")
        # The victim's code in the attacker's own browser: the state is used up.
        mine = attacker.new_page()
        mine.goto(callback)
        mine.wait_for_selector("text=This login is not known")


def test_a_stolen_code_is_worth_nothing_in_another_login_and_the_second_time(place: SignInScene) -> None:
    """Code injection: the thief's own login, with the thief's own state, and the victim's code. The provider asks for the verifier of PKCE."""
    with place.person() as victim, place.person() as thief:
        back = place.on_the_way_back(victim)
        code = parse_qs(urlsplit(back).query)["code"][0]
        begun = thief.request.get(f"{place.url}/login/corporate", max_redirects=0)
        query = parse_qs(urlsplit(begun.headers["location"]).query)
        assert query["code_challenge_method"] == ["S256"]
        asked = urlencode({"code": code, "state": query["state"][0], "iss": place.provider.issuer})
        answer = thief.request.get(f"{place.url}/login/corporate/callback?{asked}", max_redirects=0)
        assert (answer.status, "Not signed in" in answer.text()) == (403, True)
        assert place.scene.events("login.failed", provider="corporate")[-1]["fields"]["reason"] == "grant_refused"
        assert "__Host-interpose" not in {each["name"] for each in thief.cookies()}
        # A provider takes back what a stolen code could have given (RFC 6749 §4.1.2): here it was never given anything.
        with place.person() as other:
            back = place.on_the_way_back(other)
            assert other.request.get(back, max_redirects=0).headers["location"] == "/"
            answer = other.request.get(back, max_redirects=0)
            assert (answer.status, "This login is not known" in answer.text()) == (400, True)


@pytest.mark.parametrize("what", ["state", "iss"])
def test_an_answer_without_its_state_or_of_another_issuer_is_not_taken(place: SignInScene, what: str) -> None:
    with place.person() as context:
        back = urlsplit(place.on_the_way_back(context))
        fields = {name: values[0] for name, values in parse_qs(back.query).items()}
        assert fields["iss"] == place.provider.issuer
        fields = {**fields, "iss": "https://evil.example"} if what == "iss" else {**fields, "state": "A" * 43}
        place.provider.requests(forget=True)
        answer = context.request.get(back._replace(query=urlencode(fields)).geturl(), max_redirects=0)
        assert answer.status == (403 if what == "iss" else 400)
        reason = "issuer_mixed_up" if what == "iss" else "state_unknown"
        assert place.scene.events("login.failed", provider="corporate")[-1]["fields"]["reason"] == reason
        assert "/token" not in place.provider.requests(), "the code stays here"
        assert "__Host-interpose" not in {each["name"] for each in context.cookies()}


def test_another_site_cannot_frame_or_post(place: SignInScene) -> None:
    with place.person() as context:
        page = place.sign_in(context)
        other = context.new_page()
        other.goto("about:blank")
        other.set_content(
            f'<iframe src="{place.url}/"></iframe><form method="post" action="{place.url}/logout">'
            '<input name="csrf" value="x"><button>go</button></form>'
        )
        other.wait_for_timeout(500)
        frames = [frame for frame in other.frames if frame != other.main_frame]
        assert all("You are signed in" not in frame.content() for frame in frames)
        other.click("button")
        other.wait_for_selector("h1")
        assert "You are signed out" not in other.content()
        page.goto(place.url)
        page.wait_for_selector("text=You are signed in")


def test_no_secret_is_written_anywhere(place: SignInScene, tmp_path: Path) -> None:
    """Runs last: whatever was said before is in the log and the chains by now."""
    token = place.command_line(tmp_path)["token"]
    written = place.scene.gateway.log.read_bytes()
    for file in (place.scene.gateway.state).rglob("*"):
        if file.is_file() and file.name != "login.key":
            written += file.read_bytes()
    for secret in (CLIENT_SECRET, token, token[14:57]):
        assert secret.encode() not in written
    assert b"eyJ" not in written, "a signed token"
    assert place.scene.verify().returncode == 0


def _is_over(session: object) -> bool:
    try:
        session.execute("select 1")  # type: ignore[attr-defined]  # a psycopg connection
    except Exception as error:  # noqa: BLE001 -- any error of the client says that it is over
        return "principal" in str(error) or "closed" in str(error) or "terminat" in str(error)
    return False


def _second_home(folder: Path) -> Path:
    home = folder / "second"
    home.mkdir()
    return home
