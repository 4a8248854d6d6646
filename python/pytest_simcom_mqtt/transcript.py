"""A failing test shows what went over the AT port while it ran.

The transcript is one file for each opening of the port, which outlives a test. It is cut by the bytes on
the line, which the driver counts too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

from pytest_simcom_mqtt.device import Device, Position, device_in_use
from pytest_simcom_mqtt.ports import asks_for_module

LONGEST_TAIL: Final = 40
"""Lines."""

_LONGEST_WAIT: Final = 1.0
_ELEMENT: Final = re.compile(r"\S+ [<>] \S+ (.*)")
_ESCAPE: Final = re.compile(r"\\(?:x..|.)")

_BEGINNING = pytest.StashKey[Position]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note where in the transcript a test begins."""
    device = device_in_use(item.config)
    item.stash[_BEGINNING] = Position(0, 0) if device is None else device.position()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the transcript in a section of its own."""
    report = yield
    device = device_in_use(item.config)
    if not report.failed or device is None or not asks_for_module(item):
        return report
    if told := _told(device, item.stash[_BEGINNING]):
        report.sections.append(("AT transcript", told))
    return report


def _told(device: Device, beginning: Position) -> str:
    if not device.transcripts:
        return "not kept, since pytest's cache is off: give --simcom-log-dir=DIR"
    path = device.transcripts[-1]
    if not path.exists():
        return ""  # the port could not be opened
    _wait_until_written(path, device.position().byte)
    lines = _lines_since(device.transcripts[beginning.transcript], beginning.byte)
    for later in device.transcripts[beginning.transcript + 1 :]:
        lines += _lines_since(later, 0)
    told = [f"the last of {len(lines)} lines of this test, in {path}:"]
    return "\n".join(told + lines[-LONGEST_TAIL:])


def _lines_since(path: Path, byte: int) -> list[str]:
    passed, lines = 0, []
    for line in _read(path):
        if passed >= byte:
            lines.append(line)
        passed += _bytes_of(line)
    return lines


def _wait_until_written(path: Path, byte: int) -> None:
    deadline = time.monotonic() + _LONGEST_WAIT
    while sum(map(_bytes_of, _read(path))) < byte and time.monotonic() < deadline:
        time.sleep(0.02)


def _read(path: Path) -> list[str]:
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    return [line for line in lines if not line.startswith("#")]


def _bytes_of(line: str) -> int:
    element = _ELEMENT.fullmatch(line)
    return len(_ESCAPE.sub(".", element[1])) if element else 0
