"""Terminals over SSH: recorded, replayed, searched, exported, watched, spoken to and ended; by the real client and the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from interpose.recording.channel_frames import StreamName
from interpose.recording.terminal.screen import Screen
from interpose.recording.timeline import Resized, Streamed, TimelineEvent
from interpose.store.files.reading import RecordedSessions
from tests.support.records import stand_alone_says
from tests.support.scene import until
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd
from tests.support.terminals import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]

EVIL = b"printf '\\033]0;owned\\007\\033]52;c;ZXZpbA==\\007\\033[6n\\033[?1000h\\033[2mfaint\\n'"

PROMPT = b"\x1b[?2004h$ "


@pytest.fixture(scope="module")
def scene() -> Iterator[SshScene]:
    with SshServer() as server, SshScene(server) as made:
        yield made


def shell(scene: SshScene, *options: str) -> Terminal:
    """alice's shell on web-1, in a window of 100 times 30."""
    command = [*scene.arguments("-tt", *options), scene.target("alice"), "bash --norc --noprofile -i"]
    environment = {**scene.environment("alice"), "PS1": "$ "}
    terminal = Terminal(command, environment=environment, columns=100, rows=30)
    terminal.until(b"\x1b[?2004h")
    return terminal


def interpose(scene: SshScene, *arguments: str) -> Terminal:
    """The command line as carol, under a terminal."""
    environment = {
        "INTERPOSE_CONFIG": str(scene.gateway.config),
        "INTERPOSE_SERVER": f"http://127.0.0.1:{scene.gateway.admin_port}",
        "INTERPOSE_TOKEN": scene.token("carol"),
    }
    return Terminal([sys.executable, "-m", "interpose", *arguments], environment=environment, columns=110, rows=40)


def newest(scene: SshScene) -> str:
    return scene.newest()


def events(scene: SshScene, session: str) -> list[TimelineEvent]:
    return list(RecordedSessions(scene.gateway.state / "recordings").timeline(session))


def streamed(found: list[TimelineEvent], stream: StreamName) -> bytes:
    return b"".join(event.data for event in found if isinstance(event, Streamed) and event.stream is stream)


def seen_on(terminal: Terminal) -> str:
    """What its screen shows."""
    screen = Screen(110, 40)
    screen.feed(terminal.output)
    return "\n".join(screen.text())


@pytest.fixture(scope="module")
def recorded(scene: SshScene) -> tuple[str, bytes, bytes]:
    """A session that is over: its id, what was shown to the client, and what was typed."""
    with shell(scene) as terminal:
        terminal.type(b"PS1='$ '\r")
        terminal.until(PROMPT)
        typed = b"PS1='$ '\r"
        for keys, seen in (
            (b"echo canary-$((40+2))\r", b"canary-42"),
            (b"ecko typo\x7f\x7f\x7f\x7f\x7f\x7f\x7fho corrected\r", b"\rcorrected"),
            (EVIL + b"\r", b"faint\r\n"),
        ):
            terminal.type(keys)
            terminal.until(seen)
            typed += keys
        terminal.resize(90, 20)
        # The client sends a new size when it gets to it, which may be after what is typed next.
        asked = b"while [ \"$(stty size)\" != '20 90' ]; do sleep 0.1; done; stty size\r"
        terminal.type(asked)
        terminal.until(b"\r20 90\r\n")
        terminal.type(b"exit 5\r")
        assert terminal.end() == 5
        session = newest(scene)
        until(
            lambda: any(each["id"] == session for each in scene.sessions("live=false")), what="the end of the session"
        )
        return session, terminal.output, typed + asked + b"exit 5\r"


def test_both_directions_are_recorded_byte_by_byte_with_the_windows(
    scene: SshScene, recorded: tuple[str, bytes, bytes]
) -> None:
    session, output, typed = recorded
    found = events(scene, session)
    assert streamed(found, StreamName.STDOUT) in output
    assert b"canary-42" in streamed(found, StreamName.STDOUT)
    # The client's terminal answered the question for the cursor's place? No: nobody plays a terminal here.
    assert streamed(found, StreamName.STDIN) == typed
    sizes = [(event.columns, event.rows) for event in found if isinstance(event, Resized)]
    assert sizes == [(100, 30), (90, 20)]
    assert scene.verify().returncode == 0
    right, said = stand_alone_says(scene.gateway.state)
    assert right, said


def test_search_finds_what_was_seen_and_what_was_typed(scene: SshScene, recorded: tuple[str, bytes, bytes]) -> None:
    session, _, _ = recorded
    token = scene.token("carol")

    def search(text: str) -> list[dict[str, Any]]:
        found = json.loads(scene.gateway.interpose("sessions", "search", text, "--json", token=token).stdout)
        return [hit for hit in found if hit["session"] == session]

    assert {("output", "canary-42")} <= {(hit["kind"], hit["text"]) for hit in search("CANARY-42")}
    detected = {hit["text"] for hit in search("ec") if hit["kind"] == "detected"}
    assert {"echo canary-$((40+2))", "echo corrected"} <= detected


def test_exports_are_what_their_formats_say(scene: SshScene, recorded: tuple[str, bytes, bytes]) -> None:
    session, _, _ = recorded
    token = scene.token("carol")
    for version in (2, 3):
        cast = scene.gateway.interpose("sessions", "export", session, "--format", f"asciicast-v{version}", token=token)
        header, *lines = [json.loads(line) for line in cast.stdout.splitlines()]
        assert header["version"] == version
        assert "canary-42" in "".join(text for _, code, text in lines if code == "o")
        assert not any(bad in cast.stdout for bad in ("\\u001b]", "\\u001b[6n", "\\u001b[?1000h", "\\u0007"))
        assert [text for _, code, text in lines if code == "r"] == ["90x20"]
        assert not any(code == "i" for _, code, _ in lines)
        assert [text for _, code, text in lines if code == "x"] == (["5"] if version == 3 else [])
    text = scene.gateway.interpose("sessions", "export", session, "--format", "text", token=token).stdout
    assert "# detected command: echo canary-$((40+2))\n" in text
    assert "\ncanary-42\n" in text
    assert "\x1b" not in text


def test_a_replay_draws_the_screen_obeys_keys_and_gives_the_terminal_back(
    scene: SshScene, recorded: tuple[str, bytes, bytes]
) -> None:
    session, _, _ = recorded
    with interpose(scene, "sessions", "replay", session, "--speed", "20", "--idle-limit", "1") as viewer:
        viewer.until_true(lambda _: "paused" in seen_on(viewer), "the end of the replay")
        assert "canary-42" in seen_on(viewer)
        for _ in range(20):
            viewer.type(b"\x1b[D")
        viewer.until_true(lambda _: "canary-42" not in seen_on(viewer), "the begin")
        for _ in range(20):
            viewer.type(b"\x1b[C")
        viewer.until_true(lambda _: "canary-42" in seen_on(viewer), "the end again")
        viewer.type(b"q")
        assert viewer.end() == 0
        assert not any(bad in viewer.output for bad in (b"\x1b]", b"\x1b[6n", b"\x1b[?1000h", b"\x1b[?2004"))
        assert viewer.output.endswith(b"\x1b[?25h\x1b[?1049l")
        assert viewer.modes == viewer.before


def test_a_living_session_is_watched_spoken_to_and_ended(scene: SshScene) -> None:
    with shell(scene) as terminal:
        terminal.type(b"PS1='$ '; echo begun-$((1+1))\r")
        terminal.until(b"begun-2")
        session = newest(scene)
        with interpose(scene, "sessions", "watch", session) as viewer:
            viewer.until_true(lambda _: "begun-2" in seen_on(viewer), "what was there before")
            terminal.type(b"echo live-$((1+1))\r")
            terminal.until(b"live-2")
            viewer.until_true(lambda _: "live-2" in seen_on(viewer), "what came")
            token = scene.token("carol")
            scene.gateway.interpose("sessions", "say", session, "lunch\x1b]0;owned\x07 is ready", token=token)
            told = terminal.until(b"is ready")
            assert b"message from the operators: lunch" in told
            assert b"\x1b]0;owned" not in told
            scene.gateway.interpose("sessions", "kill", session, "--reason", "unattended", token=token)
            assert b"unattended" in terminal.until(b"unattended")
            terminal.end()
            viewer.until_true(lambda _: "over, q leaves" in seen_on(viewer), "the end")
            viewer.type(b"q")
            assert viewer.end() == 0
            assert viewer.modes == viewer.before
    assert scene.events("administered", what="say")
    assert scene.events("administered", what="end_session", reason="unattended")
    assert [event["session"] for event in scene.events("recording.read", how="watch")] == [session]


def test_nobody_watches_or_speaks_without_the_right(scene: SshScene) -> None:
    with shell(scene) as terminal:
        terminal.type(b"echo begun-$((1+1))\r")
        terminal.until(b"begun-2")
        session = newest(scene)
        for arguments in (("watch", session), ("say", session, "x"), ("kill", session)):
            done = scene.gateway.interpose("sessions", *arguments, token=scene.token("mallory"), check=False)
            assert done.returncode != 0
            assert "there is no such session" in done.stderr
        terminal.type(b"exit\r")
        assert terminal.end() == 0


def test_after_kill_9_the_recording_holds_and_replays_up_to_about_a_second_before(scene: SshScene) -> None:
    with shell(scene) as terminal:
        terminal.type(b"PS1='$ '; echo before-$((1+1))\r")
        terminal.until(b"before-2")
        session = newest(scene)
        recordings = scene.gateway.state / "recordings"
        until(lambda: b"before-2" in streamed(events(scene, session), StreamName.STDOUT), 10, "the writing of it")
        terminal.type(b"echo never-written")
        scene.gateway.kill()
        terminal.end()
    found = list(RecordedSessions(recordings).timeline(session))
    assert b"echo before-$((1+1))\r" in streamed(found, StreamName.STDIN)
    assert scene.verify().returncode == 0
    scene.gateway.start(timeout=90)
    until(lambda: scene.events("session.sealed") and not scene.sessions("live=true"), 30, "the seal")
    token = scene.token("carol")
    text = scene.gateway.interpose("sessions", "export", session, "--format", "text", token=token).stdout
    assert "before-2" in text
    assert scene.gateway.interpose("sessions", "replay", session, "--speed", "0", token=token).stdout
    trailer = RecordedSessions(recordings).trailer(session)
    assert trailer is not None
    assert trailer.state == "truncated(crash)"
    assert scene.verify().returncode == 0
