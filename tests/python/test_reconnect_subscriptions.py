"""A client is back when its subscriptions are: whatever stops an attempt behind its CONNECT, none is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from happenings import Happenings, LogRecords
from host_client import HostClient
from mosquitto_broker import MosquittoBroker
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
def test_an_attempt_that_fails_to_subscribe(
    modem: SimcomMqtt,
    simulator: SimulatedModem,
    broker_url: str,
    host: HostClient,
    base: str,
    fault: Fault,
    clean_session: bool,
) -> None:
    happenings = Happenings(modem)
    client = modem.connect(broker_url, client_id=base[-20:], clean_session=clean_session, reconnect=FAST)
    client.subscribe(f"{base}/a", 1)
    client.subscribe(f"{base}/b", 1)
    fault(simulator)

    with LogRecords() as log:
        simulator.drop_connection(0)
        log.wait_for("not back yet.*CMQTTSUB")
        happenings.wait_for("reconnected", 0)

    assert_subscribed(modem, client, host, f"{base}/a", f"{base}/b")
    assert happenings.names(simulator) == ["connection lost", "reconnected"]
    assert sum(line.startswith("AT+CMQTTCONNECT=") for line in simulator.received) == 2
    client.publish(f"{base}/c", b"", 1)


def test_unplugged_before_the_result_of_connect(
    modem: SimcomMqtt, simulator: SimulatedModem, mosquitto: MosquittoBroker, host: HostClient, base: str
) -> None:
    happenings = Happenings(modem)
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
        happenings.wait_for("reconnected", 0)

    assert_subscribed(modem, client, host, f"{base}/a")
    assert happenings.names(simulator) == ["connection lost", "reconnected"]
    assert sum(line.startswith("AT+CMQTTCONNECT=") for line in simulator.received) == 2


def test_a_result_of_connect_that_does_not_come(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    happenings = Happenings(modem)
    client = modem.connect(broker_url, timeout=2, reconnect=FAST)
    client.subscribe(f"{base}/a", 1)
    simulator.mute_next("CMQTTCONNECT", "result")

    simulator.drop_connection(0)
    happenings.wait_for("reconnected", 0)

    assert_subscribed(modem, client, host, f"{base}/a")


def test_changed_between_two_attempts(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    happenings = Happenings(modem)
    client = modem.connect(broker_url, reconnect=Reconnect(min_delay=0.5, max_delay=0.5))
    client.subscribe(f"{base}/kept", 1)
    client.subscribe(f"{base}/dropped", 1)
    simulator.fail_next("CMQTTSUB", 17)

    with LogRecords() as log, ThreadPoolExecutor(2) as pool:
        simulator.drop_connection(0)
        log.wait_for("not back yet.*CMQTTSUB")
        changes = [
            pool.submit(client.unsubscribe, f"{base}/dropped"),
            pool.submit(client.subscribe, f"{base}/new", 1),
        ]
        for change in changes:
            change.result(30)
    happenings.wait_for("reconnected", 0)

    assert_subscribed(modem, client, host, f"{base}/kept", f"{base}/new")


def test_a_connection_that_went_without_a_word(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    """Nobody was told of its loss, but the one that came instead is told of, whichever attempt made it."""
    happenings = Happenings(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/a", 1)
    simulator.fail_next("CMQTTSUB", 17)

    modem.command("AT+CMQTTDISC=0,60")
    client.publish(f"{base}/b", b"", 1)
    happenings.wait_for("reconnected", 0)

    assert happenings.seen == [("reconnected", 0)]
    assert_subscribed(modem, client, host, f"{base}/a")


def test_what_the_broker_refuses_now(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    """It is told in the log, holds up nothing else, and is asked for again the next time."""
    happenings = Happenings(modem)
    with ScriptedBroker() as broker:
        client = modem.connect(broker.url, reconnect=FAST)
        client.subscribe("first", 1)
        client.subscribe("second", 1)
        broker.suback = 0x80
        with LogRecords() as log:
            broker.close_connections()
            log.wait_for('client 0 comes back without its subscription to "first": .*the broker refused')
            log.wait_for('client 0 comes back without its subscription to "second"')
        happenings.wait_for("reconnected", 0)
        client.publish("a/b", b"", 1)
        assert modem.subscribed_topics() == []

        broker.suback = None
        happenings.seen.clear()
        broker.close_connections()
        happenings.wait_for("reconnected", 0)

        assert modem.subscribed_topics() == [b"first", b"second"]
        client.disconnect()


def test_subscribing_meanwhile_to_what_the_broker_refuses(
    modem: SimcomMqtt, simulator: SimulatedModem
) -> None:
    """Its caller hears of it, as ever, and nobody else has to wait."""
    happenings = Happenings(modem)
    with ScriptedBroker(suback=0x80) as broker, ThreadPoolExecutor(1) as pool:
        client = modem.connect(broker.url, reconnect=FAST)
        simulator.lose_network()
        happenings.wait_for("network lost")
        subscribing = pool.submit(client.subscribe, "a/b", 1)
        simulator.restore_network()

        with pytest.raises(MqttError, match="the broker refused"):
            subscribing.result(30)

        happenings.wait_for_all(("reconnected", 0))
        client.disconnect()
