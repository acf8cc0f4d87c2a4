"""How much of a stream is kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.channel_frames import StreamName
from interpose.recording.frames import OVERHEAD
from interpose.store.files.stream_caps import Gap, StreamCaps

IN, OUT = StreamName.STDIN, StreamName.STDOUT
HOUR = 3600 * 10**9


def test_each_stream_of_a_command_has_its_own_cap() -> None:
    caps = StreamCaps(100, 10_000)
    caps.opened(1, 5, terminal=False)
    assert caps.keep(1, OUT, 500, 0) == 100 - OVERHEAD
    assert caps.keep(1, OUT, 1, HOUR) == 0
    assert caps.keep(1, IN, 20, HOUR) == 20
    assert caps.gaps
    assert caps.take_gaps() == [Gap(5, 1, OUT, 401 + OVERHEAD)]
    assert (caps.gaps, caps.take_gaps()) == (False, [])
    assert (caps.sequence(1), caps.closed(1), caps.sequence(1)) == (5, 5, 0)


def test_a_terminal_is_recorded_again_after_a_flood() -> None:
    caps = StreamCaps(100, 64_000)
    caps.opened(1, 5, terminal=True)
    assert caps.keep(1, OUT, 64_000 - OVERHEAD, 0) == 64_000 - OVERHEAD
    assert caps.keep(1, OUT, 100, 0) == 0
    assert caps.keep(1, OUT, 100, HOUR // 128) == 0, "no crumbs of a flood"
    assert caps.keep(1, OUT, 100, HOUR // 32) == 100
    assert caps.take_gaps() == [Gap(5, 1, OUT, 200)]


@given(st.lists(st.tuples(st.sampled_from([IN, OUT]), st.integers(1, 300), st.integers(0, HOUR // 50)), max_size=60))
def test_what_is_kept_and_what_is_counted_add_up_and_the_cap_holds(
    pieces: list[tuple[StreamName, int, int]],
) -> None:
    caps, now = StreamCaps(10, 1_000), 0
    caps.opened(1, 5, terminal=True)
    for name in (IN, OUT):
        kept = sent = spent = 0
        for stream, count, pause in pieces:
            if stream is name:
                now += pause
                part = caps.keep(1, name, count, now)
                assert 0 <= part <= count
                kept, sent = kept + part, sent + count
                spent += part + OVERHEAD if part else 0
        assert kept + sum(gap.count for gap in caps.take_gaps()) == sent
        assert spent <= 1_000 * (1 + now / HOUR) + 1


def test_a_channel_that_was_not_opened_is_kept_for_no_command() -> None:
    caps = StreamCaps(100, 1000)
    assert (caps.keep(9, OUT, 10, 0), caps.sequence(9)) == (10, 0)
