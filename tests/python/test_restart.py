"""A reboot without `Reconnect`: each call raises ModuleRestartedError."""

import threading
from collections.abc import Callable

import pytest

from simcom_mqtt import ConnectionLostError, ModuleRestartedError, OutcomeUnknownError, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem


def test_publish_during_a_reboot_fails_with_module_restarted(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    client = modem.connect(broker_url)
    simulator.mute_next("CMQTTTOPIC")
    rebooting = threading.Thread(target=simulator.reboot)
    rebooting.start()
    with pytest.raises((ModuleRestartedError, OutcomeUnknownError)) as failed:
        client.publish("a/b", b"x", 1)
    rebooting.join()
    cause = failed.value.__cause__ if isinstance(failed.value, OutcomeUnknownError) else failed.value
    assert isinstance(cause, ModuleRestartedError)


def test_calls_after_a_reboot_raise_module_restarted(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    restarted = threading.Event()
    modem.on_restart = restarted.set
    client = modem.connect(broker_url)
    simulator.reboot()
    assert restarted.wait(30)

    calls: list[Callable[[], None]] = [
        lambda: client.publish("a/b"),
        lambda: client.subscribe("a/b"),
        client.disconnect,
    ]
    for call in calls:
        with pytest.raises(ModuleRestartedError, match="restarted") as failed:
            call()
        assert isinstance(failed.value, ConnectionLostError)

    again = modem.connect(broker_url)
    again.publish("a/b", b"back", 1)
