"""Cleans the module before a test, whatever state the last test left it in."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Final, NamedTuple

from simcom_mqtt import (
    CommandError,
    CommandTimeoutError,
    ModuleRestartedError,
    MqttClient,
    MqttError,
    SimcomMqtt,
)
from simcom_mqtt.simulator import SimulatedModem

BOOT_TIME: Final = 60.0
"""Seconds for the start of a module."""
FULL_FUNCTIONALITY: Final = "+CFUN: 1"

_CALLBACKS: Final = (
    "on_message",
    "on_connection_lost",
    "on_network_lost",
    "on_reconnected",
    "on_restart",
    "on_port_lost",
    "on_message_lost",
    "on_urc",
)


class Reception(NamedTuple):
    """The signal and the cell of a simulated module."""

    signal: tuple[int, int]
    cell: str


def clean(modem: SimcomMqtt) -> None:
    """Remove callbacks, clients and the service, and switch the radio on.

    Certificates and SSL contexts stay: the driver sets a context again before each TLS connect.
    """
    for name in _CALLBACKS:
        setattr(modem, name, None)
    _wait_until_it_answers(modem)
    for client in modem.clients():
        _release(client)
    if modem.is_started():
        modem.stop()
    if modem.command("AT+CFUN?") != [FULL_FUNCTIONALITY]:
        modem.command("AT+CFUN=1")
        modem.wait_for_network()


def clean_simulator(module: SimulatedModem, reception: Reception) -> None:
    """Clear the faults, plug the module in and restore its network."""
    module.clear_faults()
    module.plug()
    module.restore_network()
    module.signal, module.cell = reception


def _wait_until_it_answers(modem: SimcomMqtt) -> None:
    deadline = time.monotonic() + BOOT_TIME
    while True:
        try:
            modem.command("AT", timeout=1)
        except (CommandError, CommandTimeoutError, ModuleRestartedError):
            # A module that starts is silent or sends noise, or the driver notices its restart just now.
            if time.monotonic() > deadline:
                raise
        else:
            return


def _release(client: MqttClient) -> None:
    client.on_message = None
    with suppress(MqttError):  # it may not be connected
        client.disconnect()
    client.release()
