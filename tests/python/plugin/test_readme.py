"""The test that the README shows."""

from documentation import ROOT, python_blocks
from plugin.conftest import Run


def test_example_passes(simulated: Run) -> None:
    (example,) = (block for block in python_blocks(ROOT / "README.md") if "def test_" in block)

    simulated(example).assert_outcomes(passed=1)
