"""The tests that every case of the corpus of leaks goes through, on one major; a file a major gives them to pytest."""

from __future__ import annotations

from typing import ClassVar

from tests.support.leak_cases import Case, load
from tests.support.leak_rig import Mode, Rig, unlike
from tests.support.postgres_binaries import Major

CASES = load()


def of_major(major: Major) -> list[Case]:
    """The cases that exist there."""
    return [case for case in CASES if major in case.majors]


class LeakSuite:
    """What holds for every case: it leaks directly, and through the gateway it does not."""

    major: ClassVar[Major]

    def test_it_leaks_directly(self, rig: Rig, case: Case) -> None:
        """Else it would prove nothing that it does not leak through the gateway."""
        told = rig.run(case, "direct")
        if case.infers:
            assert unlike(told, rig.run(case, "direct", "b")), "the answer does not depend on the value"
        else:
            assert rig.found(case, told), f"{case.id} leaks nothing: {told.errors} {told.messages[-4:]}"

    def test_it_shows_nothing_in_output_mode(self, rig: Rig, case: Case) -> None:
        """The value itself is never shown; an inference case may depend on it."""
        self._shows_nothing(rig, case, "output")

    def test_it_shows_nothing_in_strict_mode(self, rig: Rig, case: Case) -> None:
        """The value is not shown, and no answer depends on it."""
        self._shows_nothing(rig, case, "strict")

    def _shows_nothing(self, rig: Rig, case: Case, mode: Mode) -> None:
        told = rig.run(case, mode)
        assert rig.found(case, told) == []
        broken = [error for error in told.errors if error.get("C") == "XX000" and "withheld" not in error.get("M", "")]
        assert broken == [], "a fault of the gateway's own"
        if case.infers and mode == "strict":
            assert not unlike(told, rig.run(case, mode, "b")), "the answer depends on the value"
