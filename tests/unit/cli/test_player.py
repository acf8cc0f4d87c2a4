"""Playing a tape: keys, speed and time; what the viewer's terminal gets is tested with a real one in `tests/e2e`."""

from __future__ import annotations

import pytest

from interpose.cli.player import Player, PlayOptions
from interpose.recording.terminal.tape import Said, Shown, Tape

ORDINARY = PlayOptions()


def player(options: PlayOptions = ORDINARY) -> Player:
    tape = Tape()
    for second in range(31):
        tape.add(Shown(float(second), b"%d " % second))
    return Player(tape, options, "title")


def screen(playing: Player) -> str:
    while not playing.wind():
        pass
    return playing._tape.screen.text()[0]


def test_time_passes_at_the_speed_and_stops_at_the_end() -> None:
    playing = player(PlayOptions(speed=2.0))
    playing.tick(1.5)
    assert screen(playing) == "0 1 2 3"
    playing.tick(100)
    assert (playing.at, playing.paused) == (30.0, True)
    playing.key(" ")
    assert (playing.at, playing.paused) == (0.0, False)


def test_arrows_wind_and_space_stops() -> None:
    playing = player()
    playing.key("right")
    playing.key("right")
    assert playing.at == 10.0
    playing.key("left")
    assert screen(playing) == "0 1 2 3 4 5"
    playing.key(" ")
    playing.tick(5)
    assert (playing.at, playing.pause) == (5.0, 1.0)
    playing.key("left")
    playing.key("left")
    assert screen(playing) == "0"
    assert "paused" in playing.status


def test_begin_and_end_are_moments_of_the_tape() -> None:
    playing = player(PlayOptions(begin=3.5, end=6.0))
    assert screen(playing) == "0 1 2 3"
    playing.tick(100)
    assert screen(playing).split()[-1] == "6"
    playing.key("right")
    assert playing.at == 6.0


@pytest.mark.parametrize(("key", "speed"), [("+", 1.5), ("=", 1.5), ("-", 0.5), ("x", 1.0)])
def test_the_speed_changes(key: str, speed: float) -> None:
    playing = player()
    playing.key(key)
    assert playing.speed == speed
    for _ in range(20):
        playing.key(key)
    assert 0.25 <= playing.speed <= 50
    playing.key("q")
    assert playing.quit


def test_the_status_line_is_safe_and_says_what_the_gateway_said() -> None:
    tape = Tape()
    tape.add(Said(0.0, "said: \x1b]0;evil\x07"))
    playing = Player(tape, PlayOptions(), "\x1b[2Jtitle")
    assert playing.wind()
    assert "said:" in playing.status
    assert "\x1b" not in playing.status
