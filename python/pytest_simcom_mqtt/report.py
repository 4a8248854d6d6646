"""Reports the tested modules: in the terminal before and after the tests, and as properties of each test.

JUnit files show the properties.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

import pytest

from pytest_simcom_mqtt.module_under_test import ModuleUnderTest, module_in_use, module_under_test
from pytest_simcom_mqtt.options import Options
from pytest_simcom_mqtt.port_assignment import asks_for_module, is_worker, port_to_test

_PORT: Final = "simcom_port"
_IMEI: Final = "simcom_imei"
_MODEL: Final = "simcom_model"
_FIRMWARE: Final = "simcom_firmware"
_RSSI: Final = "simcom_rssi_dbm"
_UNKNOWN: Final = "unknown"


class Summary:
    """Collects the modules from the reports of the tests of all workers."""

    def __init__(self) -> None:
        self._modules: dict[str, None] = {}
        self._ports: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Read the properties of a test."""
        properties = {name: str(value) for name, value in report.user_properties}
        if _IMEI in properties:
            self._modules[_described(properties)] = None
            self._ports.add(properties[_PORT])

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        """List the modules, if there are any, and the ports without a test."""
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
    """Register the summary."""
    config.pluginmanager.register(Summary(), "simcom_summary")


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Open the module if a test asks for it, and describe it."""
    is_silent = is_worker(config) or config.option.collectonly or config.option.setupplan
    if is_silent or not any(map(asks_for_module, items)):
        return []
    port = port_to_test(config)
    if port is None:
        return []
    return [f"SIMCom module: {_opened(module_under_test(config, port))}"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Add the module to the properties of a test that uses it."""
    try:
        yield
    finally:
        module = module_in_use(item.config)
        if module is not None and asks_for_module(item):
            item.user_properties += _properties(module).items()


def _opened(module: ModuleUnderTest) -> str:
    try:
        module.open()
    except Exception as error:  # the tests that need the module report it too
        return f"{module.port}: {error}"
    return _described(_properties(module))


def _properties(module: ModuleUnderTest) -> dict[str, str]:
    identity = module.identity
    if identity is None:
        return {_PORT: module.port}
    rssi = _UNKNOWN if identity.rssi_dbm is None else str(identity.rssi_dbm)
    return {
        _PORT: identity.port,
        _IMEI: identity.imei,
        _MODEL: identity.model,
        _FIRMWARE: identity.firmware,
        _RSSI: rssi,
    }


def _described(properties: dict[str, str]) -> str:
    port, imei, model, firmware, rssi = (
        properties[name] for name in (_PORT, _IMEI, _MODEL, _FIRMWARE, _RSSI)
    )
    signal = _UNKNOWN if rssi == _UNKNOWN else f"{rssi} dBm"
    return f"{port}: IMEI {imei}, {model}, firmware {firmware}, RSSI {signal}"
