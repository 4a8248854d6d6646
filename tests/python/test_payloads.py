"""Payloads of any content arrive unchanged."""

import queue
from collections.abc import Iterator

import pytest

from bench_messages import FAKE_BLOCK
from host_client import HostClient, as_sent
from scripted_broker import ScriptedBroker
from simcom_mqtt import Message, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

PAYLOADS = {
    "OK": b"before\r\nOK\r\nafter",
    "ERROR": b"before\r\nERROR\r\nafter",
    "CME ERROR": b"\r\n+CME ERROR: 50\r\n",
    "prompt": b"\r\n>",
    "prompt alone": b">",
    "prompt with a blank": b"\r\n> \r\n>\r\n",
    "fake block": FAKE_BLOCK,
    "end of a block": b"x\r\n+CMQTTRXEND: 0\r\n",
    "fake result": b"\r\n+CMQTTPUB: 0,0\r\n\r\n+CMQTTSUB: 0,17\r\n",
    "fake loss": b"\r\n+CMQTTCONNLOST: 0,1\r\n+CMQTTNONET\r\nRDY\r\n",
    "every byte": bytes(range(256)),
    "every byte backwards": bytes(range(255, -1, -1)),
    "Ctrl-Z and ESC": b"\x1a\x1b\x1a",
    "line ends": b"\r\n" * 200,
    "carriage returns": b"\r" * 200,
    "NULs": b"\0" * 200,
    "empty": b"",
    "one byte": b"x",
    "one part": b"p" * 1500,
    "one part and a byte": b"p" * 1500 + b"q",
    "the longest that can be sent": bytes(range(256)) * 16,
    "AT command": b"AT+CMQTTDISC=0,60\r",
}


@pytest.fixture(params=["pty", "tcp"])
def simulator(request: pytest.FixtureRequest) -> Iterator[SimulatedModem]:
    """A simulated module on each kind of line between module and host."""
    with SimulatedModem(transport=request.param) as module:
        yield module


def test_payloads_arrive_unchanged_both_ways(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    client = modem.connect(broker_url)
    client.subscribe(f"{base}/down", 1)
    host.subscribe(f"{base}/up")

    with client.capture() as inbox:
        for payload in PAYLOADS.values():
            client.publish(f"{base}/up", payload)
            host.publish(f"{base}/down", payload, 1)
        received = inbox.wait_count(len(PAYLOADS))

    assert received == [Message(f"{base}/down", payload) for payload in PAYLOADS.values()]
    assert [host.get().payload for _ in PAYLOADS] == list(PAYLOADS.values())
    assert modem.stats.damaged_messages == 0


def test_longest_message_is_received(modem: SimcomMqtt, broker_url: str, host: HostClient, base: str) -> None:
    topic = f"{base}/".ljust(1024, "t")
    payload = (FAKE_BLOCK * 100).ljust(10240, b"\r")
    client = modem.connect(broker_url)
    client.subscribe(f"{base}/#")

    with client.capture() as inbox:
        host.publish(topic, payload)
        assert inbox.get() == Message(topic, payload)


def test_longest_topic_is_sent(modem: SimcomMqtt, broker_url: str, host: HostClient, base: str) -> None:
    topic = f"{base}/".ljust(1024, "t")
    host.subscribe(f"{base}/#")

    modem.connect(broker_url).publish(topic, b"x", 2)

    assert as_sent(host.get()) == (topic, b"x", 2, False)


@pytest.mark.parametrize("topic", ["OK", "ERROR", "+CMQTTRXEND: 0", ">", "a\r\nOK\r\nb", "ünïcödé/☃"])
def test_topic_that_looks_like_an_answer_is_received(modem: SimcomMqtt, topic: str) -> None:
    # A broker of its own: Mosquitto refuses to publish to a topic with a + in it.
    with ScriptedBroker() as broker:
        client = modem.connect(broker.url, check_utf8=False)
        client.subscribe("#")

        with client.capture() as inbox:
            broker.publish(topic.encode(), b"payload")
            assert inbox.get() == Message(topic, b"payload")
        client.disconnect()


def test_both_clients_receive_at_once(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    clients = [modem.connect(broker_url), modem.connect(broker_url)]
    inboxes = [client.capture() for client in clients]
    for client in clients:
        client.subscribe(f"{base}/{client.index}")

    with inboxes[0] as first, inboxes[1] as second:
        for number in range(20):
            host.publish(f"{base}/{number % 2}", FAKE_BLOCK * (number + 1))

        received = [inbox.wait_count(10) for inbox in (first, second)]

    for index, messages in enumerate(received):
        numbers = range(index, 20, 2)
        assert messages == [
            Message(f"{base}/{index}", FAKE_BLOCK * (number + 1), index) for number in numbers
        ]


def test_retained_message_arrives_with_the_subscription(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    host.publish(f"{base}/retained", b"\r\n+CMQTTSUB: 0,0\r\n", 1, retain=True)
    client = modem.connect(broker_url)
    called: queue.Queue[Message] = queue.Queue()

    with client.capture() as inbox:
        client.subscribe(f"{base}/retained", 1, callback=called.put)
        message = inbox.get()

    assert message == Message(f"{base}/retained", b"\r\n+CMQTTSUB: 0,0\r\n")
    assert called.get(timeout=30) == message
    host.publish(f"{base}/retained", b"", 1, retain=True)
