"""pytest plugin for SIMCom modules: fixtures for a module, real or simulated, a broker and the other side.

It loads nothing of the driver until a test asks for it: a broken build breaks nobody else's tests.

PYTEST_DONT_REWRITE: there is no assert in here, and programs that load it before pytest must not be warned.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

    from pytest_simcom_mqtt.broker import Broker
    from pytest_simcom_mqtt.host_client import HostCapture, HostClient, HostMessage

__all__ = ["Broker", "HostCapture", "HostClient", "HostMessage"]

PARTS: Final = ("options", "ports", "markers", "fixtures", "callback_errors", "transcript", "report")
"""Modules with hooks and fixtures."""


def pytest_addoption(pluginmanager: "pytest.PytestPluginManager") -> None:
    """Register the parts, whose own hooks of this name are then called."""
    for name in PARTS:
        pluginmanager.register(import_module(f"{__name__}.{name}"), f"{__name__}.{name}")


def __getattr__(name: str) -> Any:
    # On first use, since the plugin itself is loaded by every run of pytest.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pytest_simcom_mqtt import broker, host_client

    return getattr(broker if name == "Broker" else host_client, name)
