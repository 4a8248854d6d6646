"""Reconnect restores every subscription, also when an attempt fails after CONNECT."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from recorded_events import LogRecords, RecordedEvents
from scripted_broker import ScriptedBroker
from simcom_mqtt import Message, MqttClient, MqttError, Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

FAST = Reconnect(min_delay=0.05, max_delay=0.2)
Fault = Callable[[SimulatedModem], None]

FAULTS: dict[str, Fault] = {
    "timeout": lambda simulator: simulator.fail_next("CMQTTSUB", 17),
    "ERROR": lambda simulator: simulator.fail_next("CMQTTSUB"),
    "no prompt": lambda simulator: simulator.mute_next("CMQTTSUB", "prompt"),
}


@pytest.fixture
def modem(simulator: SimulatedModem) -> Iterator[SimcomMqtt]:
    with SimcomMqtt(simulator.port, command_timeout=1) as driver:
        yield driver


def assert_subscribed(modem: SimcomMqtt, client: MqttClient, host: HostClient, *topics: str) -> None:
    assert set(modem.subscribed_topics()) == {topic.encode() for topic in topics}
    with client.capture() as inbox:
        for topic in topics:
            host.publish(topic, b"", 1)
            assert inbox.get() == Message(topic, b"")


@pytest.mark.parametrize("clean_session", [True, False])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_failed_resubscribe_is_retried(
    modem: SimcomMqtt,
    simulator: SimulatedModem,
    broker_url: str,
    host: HostClient,
    base: str,
    fault: Fault,
    clean_session: bool,
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, client_id=base[-20:], clean_session=clean_session, reconnect=FAST)
    client.subscribe(f"{base}/a", 1)
    client.subscribe(f"{base}/b", 1)
    fault(simulator)

    with LogRecords() as log:
        simulator.drop_connection(0)
        log.wait_for("could not reconnect.*CMQTTSUB")
        events.wait_for("reconnected", 0)

    assert_subscribed(modem, client, host, f"{base}/a", f"{base}/b")
    assert events.names(simulator) == ["connection lost", "reconnected"]
    assert sum(line.startswith("AT+CMQTTCONNECT=") for line in simulator.received) == 2
    client.publish(f"{base}/c", b"", 1)


def test_port_lost_before_connect_result_restores_subscriptions(
    modem: SimcomMqtt, simulator: SimulatedModem, mosquitto: MosquittoBroker, host: HostClient, base: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(f"mqtt://127.0.0.1:{mosquitto.plain}", client_id=base[-20:], reconnect=FAST)
    client.subscribe(f"{base}/a", 1)
    mosquitto.wait_for_log(f"Sending SUBACK to {client.client_id}")
    simulator.mute_next("CMQTTCONNECT", "result")
    since = mosquitto.log_length

    with LogRecords() as log:
        simulator.drop_connection(0)
        mosquitto.wait_for_log(f"connected from .* as {client.client_id}", since=since)
        simulator.unplug()
        log.wait_for("port is gone")
        simulator.plug()
        events.wait_for("reconnected", 0)

    assert_subscribed(modem, client, host, f"{base}/a")
    assert events.names(simulator) == ["connection lost", "reconnected"]
    assert sum(line.startswith("AT+CMQTTCONNECT=") for line in simulator.received) == 2


def test_missing_connect_result_restores_subscriptions(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, timeout=2, reconnect=FAST)
    client.subscribe(f"{base}/a", 1)
    simulator.mute_next("CMQTTCONNECT", "result")

    simulator.drop_connection(0)
    events.wait_for("reconnected", 0)

    assert_subscribed(modem, client, host, f"{base}/a")


def test_subscriptions_changed_between_attempts_are_restored(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=Reconnect(min_delay=0.5, max_delay=0.5))
    client.subscribe(f"{base}/stays", 1)
    client.subscribe(f"{base}/dropped", 1)
    simulator.fail_next("CMQTTSUB", 17)

    with LogRecords() as log, ThreadPoolExecutor(2) as pool:
        simulator.drop_connection(0)
        log.wait_for("could not reconnect.*CMQTTSUB")
        changes = [
            pool.submit(client.unsubscribe, f"{base}/dropped"),
            pool.submit(client.subscribe, f"{base}/new", 1),
        ]
        for change in changes:
            change.result(30)
    events.wait_for("reconnected", 0)

    assert_subscribed(modem, client, host, f"{base}/stays", f"{base}/new")


def test_unreported_loss_restores_subscriptions(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    """The loss had no URC, but the new connection is reported."""
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/a", 1)
    simulator.fail_next("CMQTTSUB", 17)

    modem.command("AT+CMQTTDISC=0,60")
    client.publish(f"{base}/b", b"", 1)
    events.wait_for("reconnected", 0)

    assert events.recorded == [("reconnected", 0)]
    assert_subscribed(modem, client, host, f"{base}/a")


def test_refused_resubscribe_is_logged_and_retried_next_time(
    modem: SimcomMqtt, simulator: SimulatedModem
) -> None:
    """The refusal delays no other call."""
    events = RecordedEvents(modem)
    with ScriptedBroker() as broker:
        client = modem.connect(broker.url, reconnect=FAST)
        client.subscribe("first", 1)
        client.subscribe("second", 1)
        broker.suback = 0x80
        with LogRecords() as log:
            broker.close_connections()
            log.wait_for('client 0 reconnected without its subscription to "first": .*the broker refused')
            log.wait_for('client 0 reconnected without its subscription to "second"')
        events.wait_for("reconnected", 0)
        client.publish("a/b", b"", 1)
        assert modem.subscribed_topics() == []

        broker.suback = None
        events.recorded.clear()
        broker.close_connections()
        events.wait_for("reconnected", 0)

        assert modem.subscribed_topics() == [b"first", b"second"]
        client.disconnect()


def test_refused_subscribe_while_offline_fails_its_caller(
    modem: SimcomMqtt, simulator: SimulatedModem
) -> None:
    """The caller gets the error, and the reconnect continues."""
    events = RecordedEvents(modem)
    with ScriptedBroker(suback=0x80) as broker, ThreadPoolExecutor(1) as pool:
        client = modem.connect(broker.url, reconnect=FAST)
        simulator.lose_network()
        events.wait_for("network lost")
        subscribing = pool.submit(client.subscribe, "a/b", 1)
        simulator.restore_network()

        with pytest.raises(MqttError, match="the broker refused"):
            subscribing.result(30)

        events.wait_for_all(("reconnected", 0))
        client.disconnect()
