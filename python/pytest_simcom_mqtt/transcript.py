"""A failing test shows what went over the AT port while it ran.

The transcript is one file for each opening of the port, which outlives a test; it is cut by the times in it.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

from pytest_simcom_mqtt.device import Recording, device_in_use
from pytest_simcom_mqtt.ports import asks_for_module

LONGEST_TAIL: Final = 40
"""Lines."""

_LAST_OF_OPENING: Final = r"> line ATE0\r"

_BEGAN = pytest.StashKey[float]()
# The driver writes what it has once the line was quiet for 0.1 s.
_QUIET: Final = 0.15
_LONGEST_WAIT: Final = 0.5


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note where in the transcript a test begins."""
    item.stash[_BEGAN] = time.monotonic()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the transcript in a section of its own."""
    report = yield
    device = device_in_use(item.config)
    if not report.failed or device is None or not asks_for_module(item):
        return report
    if told := _told(device.recordings, item.stash[_BEGAN]):
        report.sections.append(("AT transcript", told))
    return report


def _told(recordings: list[Recording], began: float) -> str:
    if not recordings:
        return "not kept, since pytest's cache is off: give --simcom-log-dir=DIR"
    if not recordings[-1].path.exists():
        return ""  # the port could not be opened
    _wait_until_written(recordings[-1].path)
    lines = [line for recording in recordings for line in _lines_since(recording, began)]
    told = [f"the last of {len(lines)} lines of this test, in {recordings[-1].path}:"]
    return "\n".join(told + lines[-LONGEST_TAIL:])


def _lines_since(recording: Recording, began: float) -> list[str]:
    lines = recording.path.read_text(encoding="ascii", errors="replace").splitlines()
    if recording.first_command is None:
        return lines
    opened = next(
        (number for number, line in enumerate(lines) if line.endswith(_LAST_OF_OPENING)), len(lines)
    )
    first_command = next((line for line in lines[opened + 1 :] if " > " in line), "")
    since = _time_of(first_command) + began - recording.first_command
    return [line for line in lines if not line.startswith("#") and _time_of(line) >= since]


def _time_of(line: str) -> float:
    seconds, _, _ = line.partition(" ")
    try:
        return float(seconds)
    except ValueError:  # a comment, or a line that is being written
        return 0.0


def _wait_until_written(path: Path) -> None:
    size, since, deadline = -1, time.monotonic(), time.monotonic() + _LONGEST_WAIT
    while time.monotonic() < min(since + _QUIET, deadline):
        if path.stat().st_size != size:
            size, since = path.stat().st_size, time.monotonic()
        time.sleep(0.02)
