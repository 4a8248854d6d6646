"""The markers: tests for one kind of module only."""

from __future__ import annotations

from typing import Final

import pytest

MARKERS: Final = {
    "simcom_hardware": "needs a real module; skipped on a simulated one",
    "simcom_simulator_only": "needs a simulated module; skipped on a real one",
}


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is not for this kind of module; fail if there is no module at all."""
    from pytest_simcom_mqtt.options import SIMULATOR
    from pytest_simcom_mqtt.ports import require_port

    if not any(map(item.get_closest_marker, MARKERS)):
        return
    port = require_port(item.config)
    if item.get_closest_marker("simcom_hardware") and port == SIMULATOR:
        pytest.skip("needs a real module: run with --simcom-port=/dev/ttyUSB2, its AT port")
    if item.get_closest_marker("simcom_simulator_only") and port != SIMULATOR:
        pytest.skip(f"needs a simulated module: run with --simcom-port={SIMULATOR}")
