"""Timeouts: each call returns within its own timeout, and late results are cleaned up."""

import dataclasses
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from scripted_broker import CONNECT, ScriptedBroker
from scripted_module import ScriptedModule
from simcom_mqtt import CommandTimeoutError, ModuleRestartedError, SimcomMqtt
from simcom_mqtt.simulator import PROFILES, SimulatedModem


@pytest.mark.parametrize(
    "mute",
    [
        lambda simulator: simulator.mute_next("CMQTTSTART", "result"),
        lambda simulator: simulator.mute_next("CMQTTACCQ?"),
        lambda simulator: simulator.mute_next("CGSN"),
        lambda simulator: simulator.mute_next("CMQTTACCQ"),
        lambda simulator: simulator.mute_next("CMQTTCONNECT", "result"),
    ],
    ids=["START", "ACCQ?", "CGSN", "ACCQ", "CONNECT"],
)
def test_connect_returns_within_its_timeout(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, mute: Callable[[SimulatedModem], None]
) -> None:
    mute(simulator)
    began = time.monotonic()

    with pytest.raises(CommandTimeoutError):
        modem.connect(broker_url, timeout=0.5)

    assert time.monotonic() - began < 3


def test_connect_times_out_while_another_connect_uses_the_channel() -> None:
    url = "mqtt://127.0.0.1:1883"
    with ScriptedModule() as module, SimcomMqtt(module.port) as modem, ThreadPoolExecutor(1) as pool:
        module.fall_silent()
        seen = len(module.received)
        first = pool.submit(modem.connect, url, timeout=3)
        module.wait_for_more(seen)
        began = time.monotonic()

        with pytest.raises(CommandTimeoutError, match="CONNECT had no turn"):
            modem.connect(url, timeout=0.3)

        assert time.monotonic() - began < 2
        with pytest.raises(CommandTimeoutError, match="START had no answer"):
            first.result()


def test_first_publish_returns_within_its_timeout(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    client = modem.connect(broker_url)
    simulator.mute_next("CMQTTPAYLOAD=?")
    began = time.monotonic()

    with pytest.raises(CommandTimeoutError, match="PAYLOAD"):
        client.publish("a", b"x", timeout=0.5)

    assert time.monotonic() - began < 3


def test_late_connections_are_disconnected(modem: SimcomMqtt) -> None:
    with ScriptedBroker() as broker:
        broker.silent_on = CONNECT
        for _ in range(3):
            with pytest.raises(CommandTimeoutError):
                modem.connect(broker.url, timeout=0.2)
        broker.silent_on = None
        broker.close_connections()

        first = modem.connect(broker.url, timeout=9)
        second = modem.connect(broker.url, timeout=9)

        assert {first.index, second.index} == {0, 1}
        assert {client.client_id for client in modem.clients()} == {first.client_id, second.client_id}


def wait_until_answering(modem: SimcomMqtt) -> None:
    while True:
        try:
            modem.command("AT", timeout=0.2)
        except CommandTimeoutError:
            continue
        return


def test_connect_works_after_a_silent_reboot(broker_url: str) -> None:
    without_banner = dataclasses.replace(PROFILES["sim767x"], boot_lines=())
    with SimulatedModem(profile=without_banner) as simulator, SimcomMqtt(simulator.port) as modem:
        earlier = modem.connect(broker_url, index=1)
        simulator.reboot()
        wait_until_answering(modem)

        assert modem.connect(broker_url, index=0).is_connected()

        assert not earlier.is_connected()
        with pytest.raises(ModuleRestartedError):
            earlier.publish("a", b"x", timeout=1)


def test_wait_for_network_returns_within_its_timeout(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    simulator.mute_next("CEREG?")
    began = time.monotonic()

    with pytest.raises(CommandTimeoutError, match="CEREG"):
        modem.wait_for_network(0.5)

    assert time.monotonic() - began < 5


def test_exit_of_block_releases_the_second_client_when_the_first_hangs(
    simulator: SimulatedModem, broker_url: str
) -> None:
    with SimcomMqtt(simulator.port) as modem:
        modem.connect(broker_url, index=0)
        modem.connect(broker_url, index=1)
        simulator.mute_next("CMQTTDISC", "result")

    assert "AT+CMQTTREL=1" in simulator.received
