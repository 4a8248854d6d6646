"""`give_up_after`: calls that wait for the connection fail when reconnecting stops."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from host_client import HostClient
from recorded_events import LogRecords, RecordedEvents
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

SHORT_LIMIT = Reconnect(min_delay=0.05, max_delay=0.1, give_up_after=0.5)
LONG_LIMIT = Reconnect(min_delay=0.05, max_delay=0.1, give_up_after=2)
"""Leaves the test time to act before reconnecting stops."""
STOPPED = "does not reconnect any more, give_up_after has passed"


def test_queued_and_in_flight_calls_fail_when_reconnect_stops(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    host.subscribe(base)
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=LONG_LIMIT)
    simulator.mute_next("CMQTTPUB", "result")
    in_flight = client.publish_nowait(base, b"", 1)
    host.get()
    queued = [client.publish_nowait(base, b"", qos) for qos in (0, 1, 2)]

    with LogRecords() as log, ThreadPoolExecutor(2) as pool:
        simulator.lose_network()
        events.wait_for("network lost")
        publishing = pool.submit(client.publish, base)
        subscribing = pool.submit(client.subscribe, base)

        with pytest.raises(OutcomeUnknownError) as unknown:
            in_flight.result(30)
        for future in [*queued, publishing, subscribing]:
            with pytest.raises(ConnectionLostError, match=r"was not sent.*NONET"):
                future.result(30)
        log.wait_for(f"client 0 {STOPPED}.*CMQTTSTART")

    assert isinstance(unknown.value.__cause__, ConnectionLostError)
    with pytest.raises(OutcomeUnknownError):
        unknown.value.late.result(30)
    assert "reconnected" not in events.names(simulator)
    assert modem.stats.reconnects == 0


def test_wait_for_message_fails_when_reconnect_stops(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    client = modem.connect(broker_url, reconnect=LONG_LIMIT)
    with ThreadPoolExecutor(1) as pool, LogRecords() as log:
        waiting = pool.submit(client.wait_for_message, timeout=8)
        assert wait([waiting], timeout=0.1).not_done
        simulator.lose_network()
        log.wait_for("could not reconnect")
        assert not waiting.done()

        with pytest.raises(ConnectionLostError, match="no message comes any more"):
            waiting.result(30)


def test_client_can_be_connected_after_reconnect_stopped(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    client = modem.connect(broker_url, reconnect=SHORT_LIMIT)
    with LogRecords() as log:
        simulator.lose_network()
        log.wait_for(STOPPED)
    with pytest.raises((MqttError, ConnectionLostError)):
        client.publish("a/b")
    simulator.restore_network()

    again = modem.connect(broker_url, reconnect=SHORT_LIMIT)
    again.publish("a/b", b"", 1)
    events = RecordedEvents(modem)
    simulator.drop_connection(0)
    events.wait_for("reconnected", 0)


def test_publish_fails_when_the_port_does_not_return(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    client = modem.connect(broker_url, reconnect=SHORT_LIMIT)
    simulator.unplug()

    with pytest.raises(PortError):
        client.publish_nowait("a/b").result(30)

    simulator.plug()


def test_reconnect_stops_in_time_with_a_silent_broker(modem: SimcomMqtt) -> None:
    with ScriptedBroker() as broker, LogRecords() as log:
        client = modem.connect(broker.url, reconnect=SHORT_LIMIT)
        broker.silent_on = CONNECT
        broker.close_connections()
        log.wait_for(STOPPED, timeout=3)
        with pytest.raises(ConnectionLostError):
            client.publish("a/b", timeout=3)


def test_one_client_stops_and_the_other_reconnects(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    modem.connect(broker_url, reconnect=SHORT_LIMIT)
    unlimited = modem.connect(broker_url, reconnect=Reconnect(min_delay=0.05, max_delay=0.1))
    with LogRecords() as log:
        simulator.lose_network()
        log.wait_for(f"client 0 {STOPPED}")
        simulator.restore_network()

    events.wait_for("reconnected", 1)
    unlimited.publish("a/b", b"", 1)
