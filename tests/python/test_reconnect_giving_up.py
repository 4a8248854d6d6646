"""A policy that gives up: whatever waited for the connection hears that it will not come back."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from happenings import Happenings, LogRecords
from host_client import HostClient
from scripted_broker import CONNECT, ScriptedBroker
from simcom_mqtt import (
    ConnectionLostError,
    MqttError,
    OutcomeUnknownError,
    PortError,
    Reconnect,
    SimcomMqtt,
)
from simcom_mqtt.simulator import SimulatedModem

IMPATIENT = Reconnect(min_delay=0.05, max_delay=0.1, give_up_after=0.5)
UNHURRIED = Reconnect(min_delay=0.05, max_delay=0.1, give_up_after=2)
"""Leaves the test time for what it does before the end."""
GAVE_UP = "not brought back any more, give_up_after has passed"


def test_what_was_queued_and_what_was_in_flight(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    host.subscribe(base)
    happenings = Happenings(modem)
    client = modem.connect(broker_url, reconnect=UNHURRIED)
    simulator.mute_next("CMQTTPUB", "result")
    in_flight = client.publish_nowait(base, b"", 1)
    host.get()
    queued = [client.publish_nowait(base, b"", qos) for qos in (0, 1, 2)]

    with LogRecords() as log, ThreadPoolExecutor(2) as pool:
        simulator.lose_network()
        happenings.wait_for("network lost")
        publishing = pool.submit(client.publish, base)
        subscribing = pool.submit(client.subscribe, base)

        with pytest.raises(OutcomeUnknownError) as unknown:
            in_flight.result(30)
        for future in [*queued, publishing, subscribing]:
            with pytest.raises(ConnectionLostError, match=r"was not sent.*NONET"):
                future.result(30)
        log.wait_for(f"client 0 is {GAVE_UP}.*CMQTTSTART")

    assert isinstance(unknown.value.__cause__, ConnectionLostError)
    with pytest.raises(OutcomeUnknownError):
        unknown.value.late.result(30)
    assert "reconnected" not in happenings.names(simulator)
    assert modem.stats.reconnects == 0


def test_waits_for_messages(modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str) -> None:
    client = modem.connect(broker_url, reconnect=UNHURRIED)
    with ThreadPoolExecutor(1) as pool, LogRecords() as log:
        waiting = pool.submit(client.wait_for_message, timeout=8)
        assert wait([waiting], timeout=0.1).not_done
        simulator.lose_network()
        log.wait_for("not back yet")
        assert not waiting.done()

        with pytest.raises(ConnectionLostError, match="no message comes any more"):
            waiting.result(30)


def test_the_client_can_be_connected_by_hand(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    client = modem.connect(broker_url, reconnect=IMPATIENT)
    with LogRecords() as log:
        simulator.lose_network()
        log.wait_for(GAVE_UP)
    with pytest.raises(MqttError):
        client.publish("a/b")
    simulator.restore_network()

    again = modem.connect(broker_url, reconnect=IMPATIENT)
    again.publish("a/b", b"", 1)
    happenings = Happenings(modem)
    simulator.drop_connection(0)
    happenings.wait_for("reconnected", 0)


def test_a_port_that_does_not_come_back(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    client = modem.connect(broker_url, reconnect=IMPATIENT)
    simulator.unplug()

    with pytest.raises(PortError):
        client.publish_nowait("a/b").result(30)

    simulator.plug()


def test_a_broker_that_says_nothing_does_not_hold_it_up(modem: SimcomMqtt) -> None:
    with ScriptedBroker() as broker, LogRecords() as log:
        client = modem.connect(broker.url, reconnect=IMPATIENT)
        broker.silent_on = CONNECT
        broker.close_connections()
        log.wait_for(GAVE_UP, timeout=3)
        with pytest.raises(ConnectionLostError):
            client.publish("a/b", timeout=3)


def test_one_client_gives_up_and_the_other_does_not(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    happenings = Happenings(modem)
    modem.connect(broker_url, reconnect=IMPATIENT)
    patient = modem.connect(broker_url, reconnect=Reconnect(min_delay=0.05, max_delay=0.1))
    with LogRecords() as log:
        simulator.lose_network()
        log.wait_for(f"client 0 is {GAVE_UP}")
        simulator.restore_network()

    happenings.wait_for("reconnected", 1)
    patient.publish("a/b", b"", 1)
