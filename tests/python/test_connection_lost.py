"""Without `Reconnect`, calls that wait on a lost connection fail at once."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from host_client import HostClient
from recorded_events import RecordedEvents
from scripted_broker import SUBSCRIBE, UNSUBSCRIBE, ScriptedBroker
from simcom_mqtt import (
    Capture,
    ConnectionLostError,
    LossCause,
    Message,
    MessageTimeoutError,
    ModuleRestartedError,
    MqttClient,
    OutcomeUnknownError,
    PortError,
    SimcomMqtt,
)
from simcom_mqtt.simulator import SimulatedModem

Loss = Callable[[SimulatedModem], object]
LOSSES: dict[str, tuple[Loss, type[Exception]]] = {
    "CONNLOST": (lambda simulator: simulator.drop_connection(0), ConnectionLostError),
    "NONET": (lambda simulator: simulator.lose_network(), ConnectionLostError),
    "reboot": (lambda simulator: simulator.reboot(), ModuleRestartedError),
    "unplugged": (lambda simulator: simulator.unplug(), PortError),
}
losses = pytest.mark.parametrize(("lose", "error"), LOSSES.values(), ids=LOSSES)
Wait = Callable[[MqttClient, Capture], object]
WAITS: dict[str, Wait] = {
    "wait_for_message": lambda client, _inbox: client.wait_for_message(timeout=30),
    "messages": lambda client, _inbox: next(client.messages()),
    "get": lambda _client, inbox: inbox.get(timeout=30),
    "wait_count": lambda _client, inbox: inbox.wait_count(2, timeout=8),
}
waits = pytest.mark.parametrize("wait_for", WAITS.values(), ids=WAITS)


@pytest.fixture
def client(modem: SimcomMqtt, broker_url: str, base: str) -> MqttClient:
    client = modem.connect(broker_url)
    client.subscribe(f"{base}/#", 1)
    return client


@losses
@waits
def test_wait_for_message_fails_when_the_connection_is_lost(
    client: MqttClient, simulator: SimulatedModem, wait_for: Wait, lose: Loss, error: type[Exception]
) -> None:
    with ThreadPoolExecutor(1) as pool, client.capture() as inbox:
        waiting = pool.submit(wait_for, client, inbox)
        assert wait([waiting], timeout=0.1).not_done
        lose(simulator)

        with pytest.raises(error, match="no message comes any more"):
            waiting.result(3)


def test_messages_received_before_the_loss_are_still_returned(
    client: MqttClient, simulator: SimulatedModem, modem: SimcomMqtt, host: HostClient, base: str
) -> None:
    events = RecordedEvents(modem)
    messages = client.messages()
    with client.capture() as inbox, client.capture() as witness:
        for number in range(2):
            host.publish(f"{base}/{number}", b"", 1)
        witness.wait_count(2)
        simulator.drop_connection(0)
        events.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)

        assert [inbox.get().topic for _ in range(2)] == [f"{base}/0", f"{base}/1"]
        assert [next(messages).topic for _ in range(2)] == [f"{base}/0", f"{base}/1"]
        assert len(inbox.wait_count(2)) == 2


@waits
def test_wait_begun_after_the_loss_gets_messages_of_the_next_connection(
    modem: SimcomMqtt,
    client: MqttClient,
    simulator: SimulatedModem,
    host: HostClient,
    broker_url: str,
    base: str,
    wait_for: Wait,
) -> None:
    events = RecordedEvents(modem)
    simulator.drop_connection(0)
    events.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)

    with ThreadPoolExecutor(1) as pool, client.capture() as inbox:
        waiting = pool.submit(wait_for, client, inbox)
        assert wait([waiting], timeout=0.1).not_done
        client.connect(broker_url)
        client.subscribe(f"{base}/#", 1)
        for _ in range(2):
            host.publish(f"{base}/back", b"", 1)
        answer = waiting.result(3)

    assert answer in (Message(f"{base}/back", b""), [Message(f"{base}/back", b"")] * 2)


def test_wait_begun_after_the_loss_times_out(
    modem: SimcomMqtt, client: MqttClient, simulator: SimulatedModem
) -> None:
    events = RecordedEvents(modem)
    simulator.drop_connection(0)
    events.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)

    with pytest.raises(MessageTimeoutError):
        client.wait_for_message(timeout=0.1)


def test_loss_of_one_client_does_not_end_waits_of_the_other(
    modem: SimcomMqtt,
    client: MqttClient,
    simulator: SimulatedModem,
    host: HostClient,
    broker_url: str,
    base: str,
) -> None:
    other = modem.connect(broker_url)
    other.subscribe(f"{base}/#", 1)
    events = RecordedEvents(modem)
    with ThreadPoolExecutor(1) as pool, other.capture() as inbox:
        waiting = pool.submit(inbox.get, timeout=8)
        simulator.drop_connection(0)
        events.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)
        assert wait([waiting], timeout=0.1).not_done
        host.publish(f"{base}/still", b"", 1)

        assert waiting.result(3) == Message(f"{base}/still", b"", 1)


def test_disconnect_is_not_reported_as_a_loss(client: MqttClient) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.wait_for_message, timeout=0.5)
        client.disconnect()

        with pytest.raises(MessageTimeoutError):
            waiting.result(3)


@losses
def test_loss_makes_publish_in_flight_unknown_and_fails_queued_ones(
    client: MqttClient,
    simulator: SimulatedModem,
    host: HostClient,
    base: str,
    lose: Loss,
    error: type[Exception],
) -> None:
    host.subscribe(base)
    simulator.mute_next("CMQTTPUB", "result")
    in_flight = client.publish_nowait(base, b"", 1)
    host.get()
    queued = [client.publish_nowait(base, b"", qos) for qos in (0, 1, 2)]

    lose(simulator)

    with pytest.raises(OutcomeUnknownError, match="may have been delivered") as unknown:
        in_flight.result(3)
    assert type(unknown.value.__cause__) is error
    with pytest.raises(OutcomeUnknownError):
        unknown.value.late.result(3)
    for future in queued:
        with pytest.raises(error) as lost:
            future.result(3)
        assert type(lost.value) is error


@losses
@pytest.mark.parametrize(("packet", "name"), [(SUBSCRIBE, "subscribe"), (UNSUBSCRIBE, "unsubscribe")])
def test_subscribe_in_flight_fails_when_the_connection_is_lost(
    modem: SimcomMqtt,
    simulator: SimulatedModem,
    lose: Loss,
    error: type[Exception],
    packet: int,
    name: str,
) -> None:
    with ScriptedBroker(silent_on=packet) as broker, ThreadPoolExecutor(1) as pool:
        client = modem.connect(broker.url)
        changing = pool.submit(getattr(client, name), "a/b")
        broker.wait_for(packet)
        # A real loss would first end the operation with code 6 or 9: send only the URC.
        simulator.urc("+CMQTTCONNLOST: 0,1") if error is ConnectionLostError else lose(simulator)

        with pytest.raises(error):
            changing.result(3)


@losses
def test_publish_fails_when_connection_is_lost_before_pub(
    client: MqttClient,
    simulator: SimulatedModem,
    host: HostClient,
    base: str,
    lose: Loss,
    error: type[Exception],
) -> None:
    """Nothing of the publish has reached the broker."""
    simulator.delay_next("CMQTTPAYLOAD", 0.2, "prompt")
    future = client.publish_nowait(base, b"never", 1)
    while not any(line.startswith("AT+CMQTTPAYLOAD=0") for line in simulator.received):
        assert wait([future], timeout=0.01).not_done

    lose(simulator)

    with pytest.raises(error):
        future.result(30)


def test_client_is_disconnected_when_on_connection_lost_runs(
    modem: SimcomMqtt, client: MqttClient, simulator: SimulatedModem
) -> None:
    reported: Future[bool] = Future()
    modem.on_connection_lost = lambda lost, _cause: reported.set_result(lost.is_connected())

    simulator.drop_connection(0)

    assert reported.result(3) is False


def test_publish_after_network_loss_fails_as_not_sent(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    client = modem.connect(broker_url)
    lost = threading.Event()
    modem.on_network_lost = lost.set
    simulator.lose_network()
    assert lost.wait(5)

    with pytest.raises(ConnectionLostError, match="was not sent"):
        client.publish("a", b"x", timeout=5)
    with pytest.raises(ConnectionLostError, match="was not sent"):
        client.publish_nowait("a", b"x", timeout=5).result(5)


def test_connect_works_after_each_network_loss(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    lost = threading.Event()
    modem.on_network_lost = lost.set
    earlier = []
    for _ in range(3):
        earlier.append(modem.connect(broker_url))
        lost.clear()
        simulator.lose_network()
        assert lost.wait(5)
        simulator.restore_network()

    client = modem.connect(broker_url)

    assert client.is_connected()
    assert not any(lost.is_connected() for lost in earlier)
