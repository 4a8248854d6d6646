"""Which module was tested: in the terminal before and after the tests, and in the properties of each test.

JUnit files show the properties.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

import pytest

from pytest_simcom_mqtt.device import Device, device_in_use, device_under_test
from pytest_simcom_mqtt.options import Options
from pytest_simcom_mqtt.ports import asks_for_module, is_worker, port_to_test

_PORT: Final = "simcom_port"
_IMEI: Final = "simcom_imei"
_MODEL: Final = "simcom_model"
_FIRMWARE: Final = "simcom_firmware"
_RSSI: Final = "simcom_rssi_dbm"
_UNKNOWN: Final = "unknown"


class Summary:
    """Collects the modules from the reports of the tests, which other workers send too."""

    def __init__(self) -> None:
        self._modules: dict[str, None] = {}
        self._ports: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Read the properties of a test."""
        properties = {name: str(value) for name, value in report.user_properties}
        if _IMEI in properties:
            self._modules[_in_words(properties)] = None
            self._ports.add(properties[_PORT])

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        """List the modules, if there were any, and the ports that were given for nothing."""
        if not self._modules:
            return
        terminalreporter.section("SIMCom modules")
        for module in self._modules:
            terminalreporter.line(module)
        ports = Options.of(config).ports
        if untested := [port for port in ports if port not in self._ports]:
            terminalreporter.line(
                f"not tested: {', '.join(untested)}. Each worker of pytest-xdist tests one port: "
                f"-n {len(ports)} --dist each runs every test on every port"
            )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to collect."""
    config.pluginmanager.register(Summary(), "simcom_summary")


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Open the module if a test asks for it, and say which it is."""
    shows_nothing = is_worker(config) or config.option.collectonly or config.option.setupplan
    if shows_nothing or not any(map(asks_for_module, items)):
        return []
    port = port_to_test(config)
    if port is None:
        return []
    return [f"SIMCom module: {_opened(device_under_test(config, port))}"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Add the module's facts to the properties of a test that uses it."""
    try:
        yield
    finally:
        device = device_in_use(item.config)
        if device is not None and asks_for_module(item):
            item.user_properties += _properties(device).items()


def _opened(device: Device) -> str:
    try:
        device.open()
    except Exception as error:  # whatever it is, a broken build too, the tests that need the module tell it
        return f"{device.port}: {error}"
    return _in_words(_properties(device))


def _properties(device: Device) -> dict[str, str]:
    facts = device.facts
    if facts is None:
        return {_PORT: device.port}
    rssi = _UNKNOWN if facts.rssi_dbm is None else str(facts.rssi_dbm)
    return {
        _PORT: facts.port,
        _IMEI: facts.imei,
        _MODEL: facts.model,
        _FIRMWARE: facts.firmware,
        _RSSI: rssi,
    }


def _in_words(properties: dict[str, str]) -> str:
    port, imei, model, firmware, rssi = (
        properties[name] for name in (_PORT, _IMEI, _MODEL, _FIRMWARE, _RSSI)
    )
    signal = _UNKNOWN if rssi == _UNKNOWN else f"{rssi} dBm"
    return f"{port}: IMEI {imei}, {model}, firmware {firmware}, RSSI {signal}"
