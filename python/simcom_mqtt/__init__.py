"""Driver for the MQTT stack of SIMCom SIM7672X/SIM7652X LTE modules."""

import simcom_mqtt._free_threading  # noqa: F401 - refuses a free-threaded Python before the extension is loaded
from simcom_mqtt._native import (
    Capture,
    Message,
    MqttClient,
    Reconnect,
    SimcomMqtt,
    Tls,
    Will,
    __version__,
    list_ports,
)
from simcom_mqtt.errors import (
    ClosedError,
    CommandError,
    CommandTimeoutError,
    ConnectError,
    ConnectionLostError,
    MessageTimeoutError,
    ModuleRestartedError,
    MqttError,
    NotConnectedError,
    OutcomeUnknownError,
    PortError,
    SimcomError,
)

TYPE_CHECKING = False  # `typing` takes longer to import than all of this package
if TYPE_CHECKING:
    from simcom_mqtt.codes import LossCause, ResultCode
    from simcom_mqtt.types import Callback, Payload, Pem, QoS, Topic
    from simcom_mqtt.values import (
        Cell,
        ClientState,
        ModuleInfo,
        PdpContext,
        PortInfo,
        Position,
        Registration,
        SignalQuality,
        Sim,
        Stats,
    )

__all__ = [
    "Callback",
    "Capture",
    "Cell",
    "ClientState",
    "ClosedError",
    "CommandError",
    "CommandTimeoutError",
    "ConnectError",
    "ConnectionLostError",
    "LossCause",
    "Message",
    "MessageTimeoutError",
    "ModuleInfo",
    "ModuleRestartedError",
    "MqttClient",
    "MqttError",
    "NotConnectedError",
    "OutcomeUnknownError",
    "Payload",
    "PdpContext",
    "Pem",
    "PortError",
    "PortInfo",
    "Position",
    "QoS",
    "Reconnect",
    "Registration",
    "ResultCode",
    "SignalQuality",
    "Sim",
    "SimcomError",
    "SimcomMqtt",
    "Stats",
    "Tls",
    "Topic",
    "Will",
    "__version__",
    "list_ports",
]

_IMPORTED_ON_USE = ("codes", "types", "values")
"""Modules that import `enum`, `typing` or `dataclasses`, which takes longer than all of this package."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a name of `__all__` from the modules of `_IMPORTED_ON_USE`."""
        if name in __all__:
            from importlib import import_module

            for module in _IMPORTED_ON_USE:
                names = vars(import_module(f"{__name__}.{module}"))
                if name in names:
                    return globals().setdefault(name, names[name])
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
