"""The managed shell through the real `ssh`: every line is judged, whatever is done to the line, and the shell goes on."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.recording.channel_frames import StreamName
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.scene import until
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="no sshd")]

POLICY = """\
@id("lists")
permit (principal in Group::"ops", action == Action::"exec", resource is Program)
when { ["cat", "cd", "echo", "ls", "printf", "pwd", "sleep", "stty", "test", "true", "false", "env", "kill", "read"].contains(resource.name) };
@id("rest")
permit (principal in Group::"ops", action in [Action::"connect", Action::"file_read", Action::"pty", Action::"managed_shell"], resource);
@id("held")
permit (principal in Group::"ops", action == Action::"exec", resource is Program) when { resource.name == "uptime" };
@id("uptime-is-held")
@approval("oncall")
forbid (principal in Group::"ops", action == Action::"exec", resource is Program) when { resource.name == "uptime" };
@id("variables")
permit (principal in Group::"ops", action == Action::"set_env", resource) when { context has env_name && context.env_name like "MY_*" };
@id("bob-has-a-shell")
permit (principal == User::"bob", action == Action::"shell", resource);
@id("auditors-look")
permit (principal in Group::"auditors", action in Action::"gateway", resource);
@id("oncall-approves")
permit (principal in Group::"oncall", action == Action::"approve", resource);
"""
GREETING = "this is a managed shell"


@pytest.fixture(scope="module")
def scene() -> Iterator[SshScene]:
    with SshServer() as server, SshScene(server, policy=POLICY) as made:
        yield made


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file that nothing may make: `touch` is not permitted."""
    tmp_path.chmod(0o777)
    path = tmp_path / "canary"
    yield path
    assert not path.exists(), "something ran that was not permitted"


def _prompt_after(terminal: PseudoTerminal, text: str) -> None:
    """Wait for a prompt behind the last time that this was shown: what is typed before it is for the program that runs."""
    until(lambda: "web-1:~>" in terminal.seen.rpartition(text)[2] or (terminal._read(0.2) and None), 60, "a prompt")


def _shown(terminal: PseudoTerminal, text: str, seconds: float) -> bool:
    """Whether this is shown within so many seconds."""
    deadline = time.monotonic() + seconds
    while text not in terminal.seen and time.monotonic() < deadline:
        terminal._read(0.2)
    return text in terminal.seen


def _terminal(scene: SshScene, principal: str = "alice", term: str = "xterm-256color") -> PseudoTerminal:
    arguments = ["env", f"TERM={term}", *scene.arguments("-tt"), scene.target(principal)]
    return PseudoTerminal(arguments, scene.environment(principal))


def _piped(scene: SshScene, lines: str, principal: str = "alice") -> subprocess.CompletedProcess[bytes]:
    return scene.ssh(principal, options=("-T",), stdin=lines.encode())


def test_lines_from_a_pipe_are_judged_one_by_one(scene: SshScene, canary: Path) -> None:
    done = _piped(scene, f"echo one; echo two\ntouch {canary}\nfalse\n# a remark\n\necho three >&2\n")
    assert done.stdout == b"one\ntwo\n"
    assert GREETING.encode() in done.stderr.splitlines()[0]
    assert b"`touch`" in done.stderr or b"touch" in done.stderr
    assert done.stderr.endswith(b"three\n")
    assert done.returncode == 0
    assert _piped(scene, f"touch {canary}").returncode == 126
    assert _piped(scene, "false\n").returncode == 1
    assert _piped(scene, "echo no\nexit 7\necho more").returncode == 7
    assert _piped(scene, "kill -9 $$\n").returncode in (126, 137)


def test_folder_and_variables_are_carried_along_and_nothing_else(scene: SshScene, tmp_path: Path) -> None:
    strange = tmp_path / 'it\'s $HOME `x` "q"'
    strange.mkdir()
    quoted = "'" + str(strange).replace("'", "'\\''") + "'"
    lines = [
        f"cd {quoted}",
        "pwd",
        "pwd -P",
        "cd ..",
        "pwd",
        "cd -",
        "cd /nowhere",
        "pwd",
        "export MY_A='a b'\"'\"'$c' MY_B=2",
        "env | cat",
        "unset MY_B",
        "export",
        "export LD_PRELOAD=/x",
        "MY_C=1 true",
        "export MY_D=$(id)",
    ]
    done = _piped(scene, "\n".join(lines) + "\n")
    out = done.stdout.decode().splitlines()
    assert out[:5] == [str(strange), str(strange), str(tmp_path), str(strange), str(strange)], done
    assert "MY_A=a b'$c" in out
    assert "MY_B=2" in out
    assert out[-1] == "MY_A=a b'$c"
    assert not any(line.startswith(("LD_PRELOAD", "MY_C", "MY_D")) for line in out)
    assert b"/nowhere" in done.stderr


def test_a_terminal_with_editing_history_and_completion(scene: SshScene, canary: Path) -> None:
    lines = [
        ("echo fo\x1b[Dx\x1b[C''und\r", "fxound\n"),  # the cursor goes back and forth
        ("\x1b[A\x1b[A\x1b[B\x15echo 'com''pleted'\r", "completed\n"),
        (f"touch {canary}\x01\x0b\x19\r", "no policy permits"),  # killed and yanked
        (f"xtouch {canary}\x01\x04\r", "no policy permits"),
        ("printf 'no end'\r", "no end\n"),
        ("echo 'two\rlines'\r", "two\nlines\n"),
        ("\x1b[200~echo pas\nprintf '%s\\n' ted\n\x1b[201~\r", "pas\nted\n"),
        ("help\r", "Permitted: cat, cd, echo"),
    ]
    with _terminal(scene) as terminal:
        terminal.wait_for(GREETING)
        shown = GREETING
        for typed, expected in lines:
            _prompt_after(terminal, shown)
            before, shown = len(terminal.seen), expected
            terminal.type(typed)
            until(lambda: shown in terminal.seen[before:] or (terminal._read(0.2) and None), 60, repr(shown))  # noqa: B023
        _prompt_after(terminal, shown)
        assert "After an approval: uptime" in terminal.seen
        terminal.type("cat\rtyped a''head\r")
        terminal.wait_for("typed a''head\ntyped a''head")
        terminal.type("\x04")
        _prompt_after(terminal, "typed a''head")
        terminal.type("echo b''ack; sleep 300\r")
        terminal.wait_for("back\n")
        terminal.type("\x03")
        _prompt_after(terminal, "back\n")
        terminal.type("exit 5\r")
        assert terminal.end() == 5
    session = scene.newest()
    assert b"fxound" in scene.recorded(session, StreamName.STDOUT)
    assert b"typed a''head" in scene.recorded(session, StreamName.STDIN)


def test_a_hold_waits_and_ctrl_c_voids_it(scene: SshScene) -> None:
    with _terminal(scene) as terminal:
        _prompt_after(terminal, GREETING)
        terminal.type("uptime\r")
        terminal.wait_for("held for approval")
        terminal.type("\x03")
        terminal.wait_for("cancelled before it was sent")
        terminal.type("uptime\r")
        scene.vote("carol", scene.held("alice", "uptime"))
        terminal.wait_for("load average")
        _prompt_after(terminal, "load average")
        terminal.type("\x04")
        assert terminal.end() == 0


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_tricks_run_nothing_that_is_not_permitted(scene: SshScene, canary: Path, term: str) -> None:
    touch = f"touch {canary}"
    (canary.parent / "script").write_text(touch)
    tricks = [
        f"tou\x7fuch {canary}",
        f"xx{touch}\x01\x1b[3~\x1b[3~",
        f"{touch}\x1b[D\x1b[D\x1b[C\x1b[C",
        f"alias ls='{touch}'; ls",
        "ls",
        "!!",
        "!touch",
        f"stty -echo; {touch}",
        touch,
        "stty echo",
        f"printf '\\033[?1049h'; {touch}",
        f"vim -c ':!{touch}' -c q",
        f"less {canary.parent}/script",
        f"true; {touch}",
        f"true\x16\x0a{touch}",
        f"echo $({touch})",
        f"echo `{touch}`",
        f"env {touch}",
        f"sh {canary.parent}/script",
        f"cat <({touch})",
        f"\x1b[200~true\n{touch}\n\x1b[201~",
        f"\x1b9\x1b9{touch}",
        f"\x18(echo\x18){touch}\x18e",
        f"\x1b!{touch}",
        f"true &\\\n {touch}",
        f". {canary.parent}/script",
        f"ls > {canary}",
    ]
    with _terminal(scene, term=term) as terminal:
        terminal.wait_for("web-1:~>")
        for number, trick in enumerate(tricks):
            terminal.type(f"{trick}\r")

            # What is typed while a program runs is the program's: again with another mark, until the newest one is shown.
            for again in range(6):
                mark = f"done-{number}-{again}"
                terminal.type(f"\x03\x15echo do''{mark[2:]}\r")
                if _shown(terminal, mark, 2.0 * 2**again):
                    break
            assert mark in terminal.seen, f"the prompt after {trick!r}"
            _prompt_after(terminal, mark)
        terminal.type("exit\r")
        terminal.end()


def test_a_shell_is_given_to_whom_policy_gives_one_and_the_chain_says_which(scene: SshScene) -> None:
    assert b"managed" not in _piped(scene, "echo x\n", "bob").stderr
    assert any(
        "shell" in event["fields"]["actions"]
        for event in scene.events("command.decided", kind="shell", decision="permit")
    )
    _piped(scene, "echo x\n")
    assert scene.events("command.decided", kind="managed_shell", decision="permit")
    assert _piped(scene, "echo x\n", "mallory").returncode != 0


def test_say_and_kill_reach_a_managed_shell(scene: SshScene) -> None:
    token = scene.token("carol")
    with _terminal(scene) as terminal:
        terminal.wait_for("web-1:~>")
        terminal.type("echo half")
        until(lambda: b"echo half" in scene.recorded(scene.newest(), StreamName.STDIN), 30, "what was typed")
        session = scene.newest()
        scene.gateway.interpose("sessions", "say", session, "lunch is ready", token=token)
        terminal.wait_for("lunch is ready")
        terminal.type("way''there\r")
        terminal.wait_for("halfwaythere")
        scene.gateway.interpose("sessions", "kill", session, "--reason", "unattended", token=token)
        terminal.wait_for("unattended")
        assert terminal.end() == 255
