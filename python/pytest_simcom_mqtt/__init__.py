"""pytest plugin for SIMCom modules: fixtures for a module, real or simulated, a broker and a host client.

The driver is imported only when a test asks for it: a broken build does not break other tests.

PYTEST_DONT_REWRITE: there is no assert here, and pytest must not warn programs that import it before pytest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

    from pytest_simcom_mqtt.broker_under_test import Broker
    from pytest_simcom_mqtt.host_client import HostCapture, HostClient, HostMessage

__all__ = ["Broker", "HostCapture", "HostClient", "HostMessage"]

PARTS: Final = (
    "options",
    "port_assignment",
    "fixtures",
    "callback_errors",
    "transcript_section",
    "report",
)
"""Modules with hooks and fixtures."""


def pytest_addoption(pluginmanager: "pytest.PytestPluginManager") -> None:
    """Register the parts; pytest then calls their own hooks of this name."""
    for name in PARTS:
        pluginmanager.register(import_module(f"{__name__}.{name}"), f"{__name__}.{name}")


def __getattr__(name: str) -> Any:
    # Imported on use, since every run of pytest imports the plugin.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pytest_simcom_mqtt import broker_under_test, host_client

    return getattr(broker_under_test if name == "Broker" else host_client, name)
