"""Adds the AT lines of a failing test to its report.

A transcript is one file for each opening of the port, and lasts longer than a test. The number of bytes on
the line, which the driver counts too, delimits the part of a test.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

from pytest_simcom_mqtt.module_under_test import ModuleUnderTest, TranscriptPosition, module_in_use
from pytest_simcom_mqtt.port_assignment import asks_for_module

LONGEST_TAIL: Final = 40
"""Lines."""

_LONGEST_WAIT: Final = 1.0
_ELEMENT: Final = re.compile(r"\S+ [<>] \S+ (.*)")
_ESCAPE: Final = re.compile(r"\\(?:x..|.)")

_BEGINNING = pytest.StashKey[TranscriptPosition]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Store the position in the transcript at which a test begins."""
    module = module_in_use(item.config)
    item.stash[_BEGINNING] = TranscriptPosition(0, 0) if module is None else module.position()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add a section with the end of the transcript."""
    report = yield
    module = module_in_use(item.config)
    if not report.failed or module is None or not asks_for_module(item):
        return report
    if section := _section(module, item.stash[_BEGINNING]):
        report.sections.append(("AT transcript", section))
    return report


def _section(module: ModuleUnderTest, beginning: TranscriptPosition) -> str:
    if not module.transcripts:
        return "not kept, since pytest's cache is off: give --simcom-log-dir=DIR"
    path = module.transcripts[-1]
    if not path.exists():
        return ""  # the port could not be opened
    _wait_until_written(path, module.position().byte)
    lines = _lines_since(module.transcripts[beginning.transcript], beginning.byte)
    for later in module.transcripts[beginning.transcript + 1 :]:
        lines += _lines_since(later, 0)
    section = [f"the last of {len(lines)} lines of this test, in {path}:"]
    return "\n".join(section + lines[-LONGEST_TAIL:])


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
