"""Identity: the ordered model, a valid IMEI, and a firmware that may be shipped."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simcom_mqtt import SimcomMqtt

KNOWN_BAD = tomllib.loads((Path(__file__).parent / "known_bad_firmware.toml").read_text())["firmware"]


def test_the_model_is_the_one_ordered(simcom: SimcomMqtt, limits: dict[str, Any]) -> None:
    """Boards with another variant look the same."""
    assert simcom.info().model in limits["identity"]["models"]


def test_the_imei_is_valid(simcom: SimcomMqtt) -> None:
    """A module that was not calibrated has no IMEI, or zeros."""
    imei = simcom.info().imei

    assert len(imei) == 15
    assert imei.isdigit()
    assert imei.strip("0")
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(imei)]
    assert sum(value // 10 + value % 10 for value in doubled) % 10 == 0, "the check digit is wrong"


def test_the_firmware_is_not_known_to_be_bad(
    simcom: SimcomMqtt, record_property: Callable[[str, object], None]
) -> None:
    """Compares both lines that a module reports of its firmware."""
    lines = [line.removeprefix("Revision: ").strip() for line in simcom.command("AT+SIMCOMATI")]
    revisions = [simcom.info().revision, *lines]
    record_property("firmware_lines", " | ".join(revisions))

    for bad in KNOWN_BAD:
        if any(revision.startswith(bad["revision"]) for revision in revisions):
            pytest.fail(f"firmware {bad['revision']}: {bad['reason']}", pytrace=False)
