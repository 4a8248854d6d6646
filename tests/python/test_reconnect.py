"""A lost connection is restored with its settings, will and subscriptions."""

from pathlib import Path

import pytest

from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from recorded_events import RecordedEvents
from simcom_mqtt import LossCause, Message, Reconnect, SimcomMqtt, Will
from simcom_mqtt.simulator import SimulatedModem

FAST = Reconnect(min_delay=0.05, max_delay=0.5)


@pytest.mark.parametrize("cause", list(LossCause))
def test_reconnects_after_each_loss_cause(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, cause: LossCause
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)

    simulator.drop_connection(0, cause)
    events.wait_for("reconnected", 0)

    assert events.recorded == [("connection lost", 0, cause), ("reconnected", 0)]
    assert client.is_connected()
    assert client.query().connected
    assert modem.stats.reconnects == 1


def test_reconnect_restores_connection_settings(
    modem: SimcomMqtt, simulator: SimulatedModem, mosquitto: MosquittoBroker, base: str
) -> None:
    events = RecordedEvents(modem)
    modem.connect(
        f"mqtt://127.0.0.1:{mosquitto.password}",
        client_id="dut-again",
        username="dut",
        password="correct horse battery",
        keepalive=17,
        clean_session=False,
        version="3.1",
        operation_timeout=24,
        reconnect=FAST,
    )
    since = mosquitto.log_length

    simulator.drop_connection(0)
    events.wait_for("reconnected", 0)

    mosquitto.wait_for_log(r"connected from .* as dut-again \(p[13], c0, k17, u'dut'\)", since=since)
    assert simulator.received.count('AT+CMQTTCFG="optimeout",0,24') == 2


def test_reconnect_restores_the_will(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    host.subscribe(f"{base}/will")
    events = RecordedEvents(modem)
    modem.connect(broker_url, will=Will(f"{base}/will", b"gone", 1), reconnect=FAST)

    for _ in range(2):
        simulator.drop_connection(0)
        events.wait_for("reconnected", 0)
        assert host.get().payload == b"gone"
        events.recorded.clear()


def test_reconnect_restores_subscriptions_with_qos_and_callbacks(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    called: list[Message] = []
    client.subscribe(f"{base}/called/+", 2, callback=called.append)
    client.subscribe(f"{base}/caught", 1)
    client.subscribe(f"{base}/dropped", 1)
    client.unsubscribe(f"{base}/dropped")
    before = len(simulator.received)

    simulator.drop_connection(0)
    events.wait_for("reconnected", 0)

    with client.capture() as inbox:
        host.publish(f"{base}/dropped", b"", 1)
        host.publish(f"{base}/called/1", b"yes", 2)
        assert inbox.get() == Message(f"{base}/called/1", b"yes")
        host.publish(f"{base}/caught", b"too", 1)
        assert inbox.get() == Message(f"{base}/caught", b"too")
    subscribed = [line for line in simulator.received[before:] if line.startswith("AT+CMQTTSUB=")]
    assert subscribed == [
        f"AT+CMQTTSUB=0,{len(base) + 9},2",
        f"AT+CMQTTSUB=0,{len(base) + 7},1",
    ]
    assert set(modem.subscribed_topics()) == {f"{base}/called/+".encode(), f"{base}/caught".encode()}
    # The report of the next loss comes after the callbacks of the messages.
    simulator.drop_connection(0)
    events.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)
    assert called == [Message(f"{base}/called/1", b"yes")]


def test_reconnect_restores_the_latest_qos_of_a_filter(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe("a/b", 0)
    client.subscribe("a/b", 2)
    before = len(simulator.received)

    simulator.drop_connection(0)
    events.wait_for("reconnected", 0)

    subscribed = [line for line in simulator.received[before:] if line.startswith("AT+CMQTTSUB=")]
    assert subscribed == ["AT+CMQTTSUB=0,3,2"]


def test_reconnects_when_lost_again_while_resubscribing(
    modem: SimcomMqtt, simulator: SimulatedModem, mosquitto: MosquittoBroker, host: HostClient, base: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(f"mqtt://127.0.0.1:{mosquitto.plain}", reconnect=FAST)
    client.subscribe(f"{base}/#", 1)
    # The broker writes its log with a delay.
    mosquitto.wait_for_log(f"Sending SUBACK to {client.client_id}")
    # The reconnect waits for the result of its subscription until the connection is lost again.
    simulator.mute_next("CMQTTSUB", "result")
    since = mosquitto.log_length

    simulator.drop_connection(0)
    mosquitto.wait_for_log(f"Sending SUBACK to {client.client_id}", since=since)
    simulator.drop_connection(0, 2)
    events.wait_for("reconnected", 0)

    assert events.names(simulator) == ["connection lost", "connection lost", "reconnected"]
    with client.capture() as inbox:
        host.publish(f"{base}/back", b"", 1)
        assert inbox.get().topic == f"{base}/back"


def test_reconnects_after_each_of_many_losses(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=Reconnect(min_delay=0.01, max_delay=0.1))

    for _ in range(5):
        simulator.drop_connection(0)
        events.wait_for("reconnected", 0)
        events.recorded.clear()

    client.publish("a/b", b"", 1)
    assert modem.stats.reconnects == 5


def test_only_the_client_with_reconnect_reconnects(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    reconnecting = modem.connect(broker_url, reconnect=FAST)
    other = modem.connect(broker_url)

    simulator.drop_connection(1)
    events.wait_for("connection lost", 1, LossCause.CLOSED_PASSIVELY)
    simulator.drop_connection(0)
    events.wait_for("reconnected", 0)

    assert reconnecting.is_connected()
    assert not other.is_connected()
    other.connect(broker_url)
    other.publish("a/b", b"", 1)


def test_clients_reconnect_independently(
    modem: SimcomMqtt, simulator: SimulatedModem, tmp_path: Path, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    with MosquittoBroker(tmp_path) as second_broker:
        away = modem.connect(f"mqtt://127.0.0.1:{second_broker.plain}", reconnect=FAST)
        back = modem.connect(broker_url, reconnect=FAST)
    events.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)

    simulator.drop_connection(1)
    events.wait_for("reconnected", 1)

    back.publish("a/b", b"", 1)
    assert not away.is_connected()
