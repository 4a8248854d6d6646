"""Taking a client down on purpose while it is away: at once, and it stays down."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from happenings import Happenings, LogRecords
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

PATIENT = Reconnect(min_delay=0.05, max_delay=60)
Leave = Callable[[SimcomMqtt, MqttClient], object]


@pytest.fixture
def broker() -> Iterator[ScriptedBroker]:
    with ScriptedBroker() as scripted:
        yield scripted


def refused(simulator: SimulatedModem, broker: ScriptedBroker, log: LogRecords) -> None:
    broker.connack = 3
    broker.close_connections()
    log.wait_for("not back yet")


def unanswered(simulator: SimulatedModem, broker: ScriptedBroker, log: LogRecords) -> None:
    broker.wait_for(CONNECT)
    broker.silent_on = CONNECT
    broker.close_connections()
    broker.wait_for(CONNECT)


def without_network(simulator: SimulatedModem, broker: ScriptedBroker, log: LogRecords) -> None:
    simulator.lose_network()
    log.wait_for("not back yet")


def unplugged(simulator: SimulatedModem, broker: ScriptedBroker, log: LogRecords) -> None:
    simulator.unplug()
    log.wait_for("not back yet")


OUTAGES = [refused, unanswered, without_network, unplugged]
LEAVINGS: dict[str, Leave] = {
    "disconnect": lambda _modem, client: client.disconnect(),
    "close": lambda modem, _client: modem.close(),
    "leaving the client's block": lambda _modem, client: client.__exit__(None, None, None),
    "leaving the modem's block": lambda modem, _client: modem.__exit__(None, None, None),
}


@pytest.mark.parametrize("leave", LEAVINGS.values(), ids=LEAVINGS)
@pytest.mark.parametrize("outage", OUTAGES)
def test_at_once(
    modem: SimcomMqtt,
    simulator: SimulatedModem,
    broker: ScriptedBroker,
    leave: Leave,
    outage: Callable[[SimulatedModem, ScriptedBroker, LogRecords], None],
) -> None:
    client = modem.connect(broker.url, reconnect=PATIENT)
    with LogRecords() as log:
        outage(simulator, broker, log)
        waiting = [client.publish_nowait("a/b", b"", qos) for qos in (0, 1, 2)]

        began = time.monotonic()
        try:
            leave(modem, client)
        except SimcomError:
            assert outage is unplugged, "on a port that is away nobody can be disconnected"
        took = time.monotonic() - began

    assert took < (8 if outage is unanswered and leave is not LEAVINGS["disconnect"] else 4)
    for future in waiting:
        with pytest.raises(SimcomError) as error:
            future.result(2)
        assert isinstance(error.value, ConnectionLostError | ClosedError | OSError)
    if outage is unplugged:
        simulator.plug()


def test_an_attempt_under_way_is_taken_down_again(
    modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker
) -> None:
    client = modem.connect(broker.url, reconnect=PATIENT)
    with LogRecords() as log:
        unanswered(simulator, broker, log)

    client.disconnect()
    broker.speak_again()

    assert broker.wait_for(DISCONNECT)
    assert not client.query().connected
    assert not client.is_connected()
    client.release()
    assert modem.clients() == []


def test_it_stays_away(modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker) -> None:
    happenings = Happenings(modem)
    client = modem.connect(broker.url, reconnect=Reconnect(min_delay=0.05, max_delay=0.1))
    with LogRecords() as log:
        refused(simulator, broker, log)
    client.disconnect()
    connects = sum(line.startswith("AT+CMQTTCONNECT=") for line in simulator.received)
    broker.connack = 0

    with pytest.raises(AssertionError):
        happenings.wait_for("reconnected", 0, timeout=0.3)
    assert sum(line.startswith("AT+CMQTTCONNECT=") for line in simulator.received) == connects


def test_releasing(modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker) -> None:
    client = modem.connect(broker.url, reconnect=PATIENT)
    with LogRecords() as log:
        refused(simulator, broker, log)
    began = time.monotonic()

    client.release()

    assert time.monotonic() - began < 4
    assert modem.clients() == []


def test_releasing_while_it_is_being_acquired_again(
    modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker
) -> None:
    """What brings it back does not acquire it behind its release."""
    client = modem.connect(broker.url, reconnect=PATIENT)
    simulator.delay_next("CMQTTDISC?", 0.5)
    simulator.lose_network()
    simulator.restore_network()
    wait_for_command(simulator, "AT+CMQTTDISC?")

    with pytest.raises(MqttError):
        client.release()

    modem.connect(broker.url, client_id="the next one", index=0).publish("a/b", b"", 1)


def wait_for_command(simulator: SimulatedModem, command: str) -> None:
    """Returns once the module has read that line."""
    deadline = time.monotonic() + 5
    while command not in simulator.received:
        assert time.monotonic() < deadline, simulator.received
        threading.Event().wait(0.005)


def test_connected_again_by_hand(
    modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker, broker_url: str
) -> None:
    client = modem.connect(broker.url, reconnect=PATIENT)
    with LogRecords() as log:
        refused(simulator, broker, log)

    client.disconnect()
    client.connect(broker_url)

    client.publish("a/b", b"", 1)
    assert client.is_connected()


def test_kept_again_at_once(
    modem: SimcomMqtt, simulator: SimulatedModem, broker: ScriptedBroker, broker_url: str
) -> None:
    """The long pause of the one who was left does not hold up the next one."""
    happenings = Happenings(modem)
    first = modem.connect(broker.url, reconnect=Reconnect(min_delay=60, max_delay=60))
    with LogRecords() as log:
        refused(simulator, broker, log)
    first.release()

    again = modem.connect(broker_url, reconnect=PATIENT)
    simulator.drop_connection(0)
    happenings.wait_for("reconnected", 0)

    again.publish("a/b", b"", 1)


def test_disconnecting_while_connected_is_for_good(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    client = modem.connect(broker_url, reconnect=PATIENT)

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
def test_losing_the_connection_unnoticed_before_disconnecting(answer: bytes) -> None:
    with connected_client(answer, PATIENT) as (module, client):
        client.disconnect()

        assert not client.is_connected()
        module.answers["AT+CMQTTTOPIC=0,3"] = b"\r\n+CMQTTTOPIC: 0,11\r\n" + ERROR
        with pytest.raises(ConnectionLostError):
            client.publish("a/b")


def test_losing_the_service_unnoticed_before_disconnecting() -> None:
    with connected_client(ERROR, PATIENT) as (module, client):
        module.answers["AT+CMQTTREL?"] = ERROR

        client.disconnect()

        assert not client.is_connected()


@pytest.mark.parametrize("answer", [ERROR, OK + b"\r\n+CMQTTDISC: 0,1\r\n"])
def test_a_module_that_will_not_disconnect(answer: bytes) -> None:
    with (
        connected_client(answer, PATIENT) as (_module, client),
        pytest.raises(MqttError, match="AT\\+CMQTTDISC"),
    ):
        client.disconnect()


def test_disconnecting_what_nobody_keeps_and_is_not_connected() -> None:
    with (
        connected_client(NO_CONNECTION + ERROR, None) as (_module, client),
        pytest.raises(MqttError) as refused,
    ):
        client.disconnect()

    assert refused.value.code is ResultCode.NO_CONNECTION
