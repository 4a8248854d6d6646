"""Fixtures of the factory tests: their limits, the broker with TLS, and the power switch."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .power import PowerSwitch, SimulatedPowerSwitch, SwitchByCommand
from .secure_broker import SecureBroker, local_secure_broker

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this suite."""
    group = parser.getgroup("factory", "factory suite")
    group.addoption("--factory-limits", type=Path, default=HERE / "limits.toml", metavar="FILE")
    group.addoption("--factory-tls-url", metavar="URL", help="broker with TLS, as mqtts://broker.example.com")
    group.addoption("--factory-tls-ca", type=Path, metavar="FILE", help="authority of that broker, PEM")
    group.addoption(
        "--factory-power-cycle",
        metavar="COMMAND",
        help="program that switches the device off and on again, for example uhubctl",
    )


@pytest.fixture(scope="session")
def limits(pytestconfig: pytest.Config) -> dict[str, Any]:
    """The limits, by section and name."""
    file: Path = pytestconfig.getoption("--factory-limits")
    return tomllib.loads(file.read_text())


@pytest.fixture(scope="session")
def secure_broker(
    pytestconfig: pytest.Config, simcom_is_simulated: bool, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecureBroker]:
    """The broker with TLS of the options; for a simulated module, a broker started here."""
    url: str | None = pytestconfig.getoption("--factory-tls-url")
    authority: Path | None = pytestconfig.getoption("--factory-tls-ca")
    if url and authority:
        yield SecureBroker(url, authority.read_bytes())
    elif simcom_is_simulated:
        with local_secure_broker(tmp_path_factory.mktemp("secure-broker")) as broker:
            yield broker
    else:
        pytest.fail(
            "this test needs a broker with TLS: give --factory-tls-url=mqtts://broker.example.com "
            "--factory-tls-ca=ca.pem",
            pytrace=False,
        )


@pytest.fixture
def power_switch(
    pytestconfig: pytest.Config, simcom_is_simulated: bool, request: pytest.FixtureRequest
) -> PowerSwitch:
    """The switch for the device's power."""
    command: str | None = pytestconfig.getoption("--factory-power-cycle")
    if command:
        return SwitchByCommand(command)
    if simcom_is_simulated:
        return SimulatedPowerSwitch(request.getfixturevalue("simcom_simulator"))
    pytest.fail(
        "this test needs a power switch: give --factory-power-cycle=COMMAND, for example "
        "--factory-power-cycle='uhubctl -l 1-1 -p 2 -a cycle', or leave the test out: -k 'not power_cycle'",
        pytrace=False,
    )
