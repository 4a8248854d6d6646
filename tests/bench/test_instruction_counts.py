"""Instruction counts of the core: a slower core shows on any machine."""

import shutil

import pytest

from suite import instructions

TOLERANCE = 0.05


# The first run builds the crate.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", instructions.CASES)
def test_core_takes_the_recorded_number_of_instructions(case: str) -> None:
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed: apt-get install valgrind")
    expected = instructions.recorded().get(case)
    if expected is None:
        pytest.skip(f"no counts of {instructions.compiler()}: cd tests/bench && python -m suite.instructions")
    counted = instructions.count(case)
    assert counted == pytest.approx(expected, rel=TOLERANCE), (
        f"{case} takes {counted / expected - 1:+.1%} instructions; if that is intended:"
        " cd tests/bench && python -m suite.instructions"
    )
