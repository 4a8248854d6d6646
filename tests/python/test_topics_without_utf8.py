"""Flow 3.5: topics that are not UTF-8, through a broker that accepts them."""

import threading
from collections.abc import Callable

import pytest

from mosquitto_broker import MosquittoBroker
from scripted_broker import PUBLISH, SUBSCRIBE, ScriptedBroker
from simcom_mqtt import LossCause, Message, MqttClient, MqttError, ResultCode, SimcomMqtt

TOPIC = b"\xe9\xba\xaa\xff\xfe\x80\xc0/\xc1"


def test_topic_without_utf8_works_through_a_lenient_broker(modem: SimcomMqtt) -> None:
    with ScriptedBroker() as broker:
        modem.start()
        client = modem.acquire("client test0")
        client.configure(check_utf8=False)
        client.connect(broker.url, keepalive=60)
        client.subscribe(TOPIC, 1)
        assert broker.wait_for(SUBSCRIBE).filter == TOPIC

        with client.capture(TOPIC) as inbox:
            client.publish(TOPIC, qos=1)
            message = inbox.get()

        published = broker.wait_for(PUBLISH)
        assert (published.topic, published.payload, published.qos) == (TOPIC, b"", 1)
        assert message == Message(TOPIC, b"")
        assert message.topic_bytes == TOPIC
        assert message.topic == TOPIC.decode(errors="surrogateescape")
        client.disconnect()
        client.release()
        modem.stop()


def test_module_rejects_topic_without_utf8_by_default(modem: SimcomMqtt, broker_url: str) -> None:
    client = modem.connect(broker_url)

    operations: list[Callable[[], None]] = [
        lambda: client.publish(TOPIC, b"x"),
        lambda: client.subscribe(TOPIC),
    ]
    for operation in operations:
        with pytest.raises(MqttError) as refused:
            operation()
        assert refused.value.code is ResultCode.BAD_UTF8_STRING
    assert client.is_connected()


def test_mosquitto_closes_the_connection_on_topic_without_utf8(
    modem: SimcomMqtt, mosquitto: MosquittoBroker, broker_url: str, base: str
) -> None:
    lost = threading.Event()
    losses: list[tuple[MqttClient, LossCause]] = []

    def record(client: MqttClient, cause: LossCause) -> None:
        losses.append((client, cause))
        lost.set()

    modem.on_connection_lost = record
    client = modem.connect(broker_url, check_utf8=False)

    with pytest.raises(MqttError) as failed:
        client.subscribe(TOPIC)

    assert failed.value.code in {ResultCode.SOCKET_CLOSED_BY_SERVER, ResultCode.MESSAGE_RECEIVE_FAIL}
    assert lost.wait(30)
    assert losses == [(client, LossCause.CLOSED_PASSIVELY)]
    assert not client.is_connected()

    client.connect(broker_url)
    client.publish(f"{base}/again", b"back")
