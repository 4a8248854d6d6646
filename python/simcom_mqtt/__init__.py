"""Driver for the MQTT stack of SIMCom SIM7672X/SIM7652X LTE modules."""

from typing import TYPE_CHECKING

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
from simcom_mqtt.codes import LossCause, ResultCode
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
from simcom_mqtt.types import Callback, Payload, Pem, QoS, Topic

if TYPE_CHECKING:
    from simcom_mqtt.values import Cell, ClientState, ModuleInfo, PortInfo, SignalQuality, Stats

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
    "Pem",
    "PortError",
    "PortInfo",
    "QoS",
    "Reconnect",
    "ResultCode",
    "SignalQuality",
    "SimcomError",
    "SimcomMqtt",
    "Stats",
    "Tls",
    "Topic",
    "Will",
    "__version__",
    "list_ports",
]


def __getattr__(name: str) -> object:
    # `dataclasses` takes longer to import than the rest of the package: the values come at their first use.
    if name in __all__:
        from simcom_mqtt import values

        globals().update({value: getattr(values, value) for value in values.__all__})
        if name in globals():
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
