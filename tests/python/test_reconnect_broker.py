"""Reconnect to a broker that was down: attempts with growing delays."""

import re
import time
from pathlib import Path

import pytest

from mosquitto_broker import MosquittoBroker
from recorded_events import LogRecords, RecordedEvents
from scripted_broker import CONNECT, PUBLISH, ScriptedBroker
from simcom_mqtt import LossCause, Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

FAST = Reconnect(min_delay=0.05, max_delay=0.2)


def test_reconnects_to_a_restarted_broker(modem: SimcomMqtt, tmp_path: Path) -> None:
    events = RecordedEvents(modem)
    broker = MosquittoBroker(tmp_path)
    with LogRecords() as log:
        with broker:
            client = modem.connect(f"mqtt://127.0.0.1:{broker.plain}", reconnect=FAST)
        events.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)
        log.wait_for("could not reconnect.*SOCK_CONNECT_FAIL|could not reconnect.*AT\\+CMQTTCONNECT")
        future = client.publish_nowait("a/b", b"", 1)
        with broker:
            events.wait_for("reconnected", 0)
            assert future.result(30) is None
            client.disconnect()


def test_reconnects_after_refusals(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    events = RecordedEvents(modem)
    with ScriptedBroker() as broker, LogRecords() as log:
        client = modem.connect(broker.url, reconnect=FAST)
        broker.connack = 3
        broker.close_connections()
        for _ in range(3):
            log.wait_for("could not reconnect.*29")
        broker.connack = 0
        events.wait_for("reconnected", 0)

        client.publish("a/b", b"", 1)
        assert events.names(simulator) == ["connection lost", "reconnected"]
        client.disconnect()


def test_delays_between_attempts_grow(modem: SimcomMqtt, tmp_path: Path) -> None:
    policy = Reconnect(min_delay=0.1, max_delay=0.6)
    with LogRecords() as log:
        with MosquittoBroker(tmp_path) as broker:
            modem.connect(f"mqtt://127.0.0.1:{broker.plain}", reconnect=policy)
        times, delays = [], []
        for _ in range(6):
            match = log.wait_for(r"trying again in (\d+\.\d+) s")
            times.append(time.monotonic())
            delays.append(float(match[1]))

    for delay, (shortest, longest) in zip(
        delays, [(0.1, 0.2), (0.2, 0.4), (0.3, 0.6), (0.3, 0.6), (0.3, 0.6), (0.3, 0.6)], strict=True
    ):
        assert shortest - 0.01 <= delay <= longest + 0.01
    for delay, began, ended in zip(delays, times, times[1:], strict=False):
        assert ended - began > delay - 0.05


def test_short_lived_connections_are_delayed_too(modem: SimcomMqtt) -> None:
    # The broker closes the connection on every message, as for a forbidden topic.
    with ScriptedBroker(closes_on=PUBLISH) as broker:
        client = modem.connect(broker.url, reconnect=Reconnect(min_delay=0.2, max_delay=1))
        began = time.monotonic()

        with pytest.raises(Exception, match="AT\\+CMQTTPUB"):
            client.publish("not/allowed", b"", 1, timeout=8)

        connects = sum(packet.type == CONNECT for packet in list(broker.packets.queue))
        assert connects <= 6
        assert time.monotonic() - began > 0.3 * (connects - 2)
        client.disconnect()


def test_no_extra_commands_without_a_loss(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    client = modem.connect(broker_url, reconnect=FAST)
    before = len(simulator.received)

    client.publish("a/b")
    client.publish("a/b")

    names = [re.match(r"AT\+(\w+)", line) for line in simulator.received[before:]]
    assert [match and match[1] for match in names] == ["CMQTTTOPIC", "CMQTTPUB"] * 2
    assert modem.stats.reconnects == 0
