"""Driver for the MQTT stack of SIMCom SIM7672X/SIM7652X LTE modules."""

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
    OutcomeUnknownError,
    PortError,
    SimcomError,
)

__all__ = [
    "ClosedError",
    "CommandError",
    "CommandTimeoutError",
    "ConnectError",
    "ConnectionLostError",
    "LossCause",
    "MessageTimeoutError",
    "ModuleRestartedError",
    "MqttError",
    "OutcomeUnknownError",
    "PortError",
    "ResultCode",
    "SimcomError",
]
