"""Runs each measurement of `make bench` as briefly as possible."""

import subprocess
import sys

import pytest

from suite.measures import MEASURES
from suite.processes import BENCH, program


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    program("bench-peer")


# The first run builds the crate.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MEASURES)
def test_measurement_makes_a_table(name: str) -> None:
    run = subprocess.run(
        [sys.executable, BENCH / "run.py", "--smoke", "--only", name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "| simcom-mqtt" in run.stdout
