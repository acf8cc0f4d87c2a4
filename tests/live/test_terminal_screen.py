"""The screen and the filter against a real terminal: programs run under a pseudo-terminal, and tmux says what is to be seen."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from interpose.recording.terminal.harmless import HarmlessStream
from interpose.recording.terminal.screen import Screen
from tests.support.scene import until
from tests.support.terminals import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

TEXT = "".join(f"line {number} {'x' * (number % 90)}\n" for number in range(200))


def in_tmux(folder: Path, data: bytes) -> list[str]:
    """What a real terminal of 80 times 24 shows of these bytes."""
    folder.mkdir()
    socket, stream, sized, done = (folder / name for name in ("socket", "stream", "sized", "done"))
    stream.write_bytes(data)
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}

    def tmux(*arguments: str) -> bytes:
        command = ["tmux", "-S", str(socket), "-f", "/dev/null", "-u", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True).stdout

    # Nothing is shown before the window has its size: what it shows is moved when it gets another.
    # A mark in the title says that all before it was taken in.
    script = f"until [ -e {sized} ]; do sleep 0.02; done; stty raw -echo; cat {stream}; printf '\\033]2;all-shown\\033\\\\'; touch {done}; sleep 600"
    tmux("new-session", "-d", "-x", "80", "-y", "25", script)
    try:
        tmux("set", "-g", "status", "off")
        tmux("resize-window", "-x", "80", "-y", "24")
        sized.touch()
        until(lambda: b"all-shown" in tmux("display-message", "-p", "#{pane_title}"), 60, "all of it")
        rows = tmux("capture-pane", "-p", "-N").decode().split("\n")[:24]
        return [row.rstrip() for row in rows]
    finally:
        tmux("kill-server")


def bash(folder: Path) -> bytes:
    """Editing, completion, recall, colours, clearing, a long line, and much output."""
    with Terminal(["bash", "--norc", "--noprofile", "-i"], environment={"PS1": "$ ", "HISTFILE": ""}) as terminal:
        terminal.until(b"$ ")
        for keys, seen in (
            (b"echo \x1b[1mone\x15printf '\\e[31mred\\e[0m\\n'\r", b"red"),
            (b"\x1b[A\x1b[H\x1b[4hx\x7f\r", b"red"),
            (b"seq 1 60\r", b"60"),
            (b"echo " + b"long " * 30 + b"\r", b"long \r\n"),
            (b"clear\r", b"$ "),
            (b"echo \xe4\xb8\x96\xe7\x95\x8c e\xcc\x81\r", b"\xcc\x81\r\n"),
        ):
            terminal.type(keys)
            terminal.until(seen)
        return terminal.output


def vim(folder: Path) -> bytes:
    """An editor in its alternate screen, in the middle of work."""
    (folder / "text").write_text(TEXT)
    with Terminal(["vim", "-u", "NONE", "-N", "-n", str(folder / "text")]) as terminal:
        terminal.until(b"line 10")
        terminal.type(b"\x06\x06\x19\x19:set number\rGkkdd50GOinserted here\x1b")
        terminal.until(b"inserted here")
        return terminal.output


def less(folder: Path) -> bytes:
    """A pager that goes forward, back, and to the end."""
    (folder / "text").write_text(TEXT)
    with Terminal(["less", str(folder / "text")]) as terminal:
        terminal.until(b"line 10")
        terminal.type(b"  bG")
        terminal.until(b"line 199")
        terminal.type(b"yyyg")
        terminal.until(b"line 0")
        return terminal.output


def top(folder: Path) -> bytes:
    """A program that draws over itself without an alternate screen."""
    with Terminal(["top", "-d", "0.3", "-n", "4"]) as terminal:
        terminal.end()
        return terminal.output


@pytest.mark.parametrize("program", [bash, vim, less, top])
def test_a_real_programs_screen_is_what_a_real_terminal_shows(program: object, tmp_path: Path) -> None:
    name = program.__name__  # type: ignore[attr-defined]
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    data = program(tmp_path)  # type: ignore[operator]
    for number, size in enumerate((len(data) // 3, len(data) * 2 // 3, len(data))):
        part = data[:size]
        screen, stream = Screen(80, 24), HarmlessStream()
        screen.feed(part)
        seen = in_tmux(tmp_path / f"raw-{number}", part)
        assert screen.text() == seen
        harmless = (stream.feed(part) + stream.finish()).encode()
        again = Screen(80, 24)
        again.feed(harmless)
        assert again.text() == seen
        assert in_tmux(tmp_path / f"harmless-{number}", harmless) == seen
