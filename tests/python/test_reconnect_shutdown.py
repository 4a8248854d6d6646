"""disconnect(), release() and close() while reconnecting: they return at once, and the client stays down."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from recorded_events import LogRecords, RecordedEvents
from scripted_broker import CONNECT, DISCONNECT, ScriptedBroker
from scripted_module import OK, ScriptedModule
from simcom_mqtt import (
    ClosedError,
    ConnectionLostError,
    MqttClient,
    MqttError,
    Reconnect,
    ResultCode,
    SimcomError,
    SimcomMqtt,
)
from simcom_mqtt.simulator import SimulatedModem

LONG_DELAY = Reconnect(min_delay=0.05, max_delay=60)
Shutdown = Callable[[SimcomMqtt, MqttClient], object]


@pytest.fixture
def broker() -> Iterator[ScriptedBroker]:
    with ScriptedBroker() as scripted:
        yield scripted


def refused(simulator: SimulatedModem, broker: ScriptedBroker, log: LogRecords) -> None:
    broker.connack = 3
    broker.close_connections()
    log.wait_for("could not reconnect")


def unanswered(simulator: SimulatedModem, broker: ScriptedBroker, log: LogRecords) -> None:
    broker.wait_for(CONNECT)
    broker.silent_on = CONNECT
    broker.close_connections()
    broker.wait_for(CONNECT)


def without_network(simulator: SimulatedModem, broker: ScriptedBroker, log: LogRecords) -> None:
    simulator.lose_network()
    log.wait_for("could not reconnect")


def unplugged(simulator: SimulatedModem, broker: ScriptedBroker, log: LogRecords) -> None:
    simulator.unplug()
    log.wait_for("could not reconnect")


OUTAGES = [refused, unanswered, without_network, unplugged]
SHUTDOWNS: dict[str, Shutdown] = {
    "disconnect": lambda _modem, client: client.disconnect(),
    "close": lambda modem, _client: modem.close(),
    "exit of the client's block": lambda _modem, client: client.__exit__(None, None, None),
    "exit of the modem's block": lambda modem, _client: modem.__exit__(None, None, None),
}


@pytest.mark.parametrize("shut_down", SHUTDOWNS.values(), ids=SHUTDOWNS)
@pytest.mark.parametrize("outage", OUTAGES)
def test_shutdown_while_reconnecting_returns_at_once(
    modem: SimcomMqtt,
    simulator: SimulatedModem,
    broker: ScriptedBroker,
    shut_down: Shutdown,
    outage: Callable[[SimulatedModem, ScriptedBroker, LogRecords], None],
) -> None:
    client = modem.connect(broker.url, reconnect=LONG_DELAY)
    with LogRecords() as log:
        outage(simulator, broker, log)
        waiting = [client.publish_nowait("a/b", b"", qos) for qos in (0, 1, 2)]

        began = time.monotonic()
        try:
            shut_down(modem, client)
        except SimcomError:
            assert outage is unplugged, "only a lost port may make the disconnect fail"
        took = time.monotonic() - began

    assert took < (8 if outage is unanswered and shut_down is not SHUTDOWNS["disconnect"] else 4)
    for future in waiting:
        with pytest.raises(SimcomError) as error:
            future.result(2)
        assert isinstance(error.value, ConnectionLostError | ClosedError | OSError)
    if outage is unplugged:
        simulator.plug()


def test_disconnect_during_a_connect_attempt_disconnects(
    modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker
) -> None:
    client = modem.connect(broker.url, reconnect=LONG_DELAY)
    with LogRecords() as log:
        unanswered(simulator, broker, log)

    client.disconnect()
    broker.speak_again()

    assert broker.wait_for(DISCONNECT)
    assert not client.query().connected
    assert not client.is_connected()
    client.release()
    assert modem.clients() == []


def test_disconnected_client_does_not_reconnect(
    modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker.url, reconnect=Reconnect(min_delay=0.05, max_delay=0.1))
    with LogRecords() as log:
        refused(simulator, broker, log)
    client.disconnect()
    connects = sum(line.startswith("AT+CMQTTCONNECT=") for line in simulator.received)
    broker.connack = 0

    with pytest.raises(AssertionError):
        events.wait_for("reconnected", 0, timeout=0.3)
    assert sum(line.startswith("AT+CMQTTCONNECT=") for line in simulator.received) == connects


def test_release_while_reconnecting_returns_at_once(
    modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker
) -> None:
    client = modem.connect(broker.url, reconnect=LONG_DELAY)
    with LogRecords() as log:
        refused(simulator, broker, log)
    began = time.monotonic()

    client.release()

    assert time.monotonic() - began < 4
    assert modem.clients() == []


def test_released_client_is_not_acquired_again(
    modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker
) -> None:
    """A reconnect is about to acquire the client when it is released."""
    client = modem.connect(broker.url, reconnect=LONG_DELAY)
    simulator.delay_next("CMQTTDISC?", 0.5)
    simulator.lose_network()
    simulator.restore_network()
    wait_for_command(simulator, "AT+CMQTTDISC?")

    with pytest.raises(MqttError):
        client.release()

    modem.connect(broker.url, client_id="next client", index=0).publish("a/b", b"", 1)


def wait_for_command(simulator: SimulatedModem, command: str) -> None:
    """Returns once the module has read this line."""
    deadline = time.monotonic() + 5
    while command not in simulator.received:
        assert time.monotonic() < deadline, simulator.received
        threading.Event().wait(0.005)


def test_client_can_be_connected_after_disconnect(
    modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker, broker_url: str
) -> None:
    client = modem.connect(broker.url, reconnect=LONG_DELAY)
    with LogRecords() as log:
        refused(simulator, broker, log)

    client.disconnect()
    client.connect(broker_url)

    client.publish("a/b", b"", 1)
    assert client.is_connected()


def test_next_client_does_not_wait_for_the_delay_of_a_released_one(
    modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker, broker_url: str
) -> None:
    """The released client had a delay of 60 s."""
    events = RecordedEvents(modem)
    first = modem.connect(broker.url, reconnect=Reconnect(min_delay=60, max_delay=60))
    with LogRecords() as log:
        refused(simulator, broker, log)
    first.release()

    again = modem.connect(broker_url, reconnect=LONG_DELAY)
    simulator.drop_connection(0)
    events.wait_for("reconnected", 0)

    again.publish("a/b", b"", 1)


def test_disconnected_client_stays_disconnected(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    client = modem.connect(broker_url, reconnect=LONG_DELAY)

    client.disconnect()

    assert not client.query().connected
    with pytest.raises(ConnectionLostError):
        client.publish("a/b")


NO_CONNECTION = b"\r\n+CMQTTDISC: 0,11\r\n"
ERROR = b"\r\nERROR\r\n"


@contextmanager
def connected_client(
    disconnect: bytes, reconnect: Reconnect | None
) -> Iterator[tuple[ScriptedModule, MqttClient]]:
    """A client whose module answers DISC with these bytes."""
    answers = {
        "AT+CMQTTSTART": OK + b"\r\n+CMQTTSTART: 0\r\n",
        "AT+CMQTTSTOP": OK + b"\r\n+CMQTTSTOP: 0\r\n",
        "AT+CMQTTACCQ?": b'\r\n+CMQTTACCQ: 0,"",0\r\n+CMQTTACCQ: 1,"",0\r\n' + OK,
        'AT+CMQTTCONNECT=0,"tcp://broker:1883",60,1': OK + b"\r\n+CMQTTCONNECT: 0,0\r\n",
        "AT+CMQTTDISC=0,60": disconnect,
        "AT+CMQTTDISC=0": NO_CONNECTION + ERROR,
    }
    with ScriptedModule(answers) as module, SimcomMqtt(module.port) as modem:
        yield module, modem.connect("mqtt://broker", client_id="dut", reconnect=reconnect)


@pytest.mark.parametrize("answer", [NO_CONNECTION + ERROR, OK + NO_CONNECTION])
def test_disconnect_succeeds_when_the_connection_was_lost_unnoticed(answer: bytes) -> None:
    with connected_client(answer, LONG_DELAY) as (module, client):
        client.disconnect()

        assert not client.is_connected()
        module.answers["AT+CMQTTTOPIC=0,3"] = b"\r\n+CMQTTTOPIC: 0,11\r\n" + ERROR
        with pytest.raises(ConnectionLostError):
            client.publish("a/b")


def test_disconnect_succeeds_when_the_service_was_lost_unnoticed() -> None:
    with connected_client(ERROR, LONG_DELAY) as (module, client):
        module.answers["AT+CMQTTREL?"] = ERROR

        client.disconnect()

        assert not client.is_connected()


@pytest.mark.parametrize("answer", [ERROR, OK + b"\r\n+CMQTTDISC: 0,1\r\n"])
def test_refused_disconnect_raises_mqtt_error(answer: bytes) -> None:
    with (
        connected_client(answer, LONG_DELAY) as (_module, client),
        pytest.raises(MqttError, match="AT\\+CMQTTDISC"),
    ):
        client.disconnect()


def test_disconnect_without_connection_raises_no_connection() -> None:
    with (
        connected_client(NO_CONNECTION + ERROR, None) as (_module, client),
        pytest.raises(MqttError) as refused,
    ):
        client.disconnect()

    assert refused.value.code is ResultCode.NO_CONNECTION
