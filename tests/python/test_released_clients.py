"""Released client objects: queued messages are delivered, later calls raise ClosedError."""

import threading
from collections.abc import Callable

import pytest

from host_client import HostClient
from simcom_mqtt import ClosedError, Message, MqttClient, SimcomMqtt

USES: dict[str, Callable[[MqttClient], object]] = {
    "publish": lambda client: client.publish("a", b"x"),
    "publish_nowait": lambda client: client.publish_nowait("a", b"x"),
    "subscribe": lambda client: client.subscribe("a"),
    "unsubscribe": lambda client: client.unsubscribe("a"),
    "disconnect": lambda client: client.disconnect(),
    "release": lambda client: client.release(),
    "query": lambda client: client.query(),
    "capture": lambda client: client.capture(),
    "messages": lambda client: client.messages(),
    "wait_for_message": lambda client: client.wait_for_message(timeout=1),
    "set_will": lambda client: client.set_will("a", b"x"),
    "configure": lambda client: client.configure(check_utf8=False),
    "connect": lambda client: client.connect("mqtt://127.0.0.1"),
}


def test_messages_queued_before_release_are_delivered(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    count = 5
    release = threading.Event()
    delivered: list[Message] = []
    everything = threading.Event()

    def slow(message: Message) -> None:
        assert release.wait(5)
        delivered.append(message)
        if len(delivered) == count:
            everything.set()

    with modem.connect(broker_url) as client, client.capture() as inbox:
        client.subscribe(f"{base}/#", 1, callback=slow)
        for number in range(count):
            host.publish(f"{base}/count", str(number).encode(), 1)
        inbox.wait_count(count)
    with modem.connect(broker_url) as other:
        other.on_message = lambda _message: pytest.fail("the message belongs to the released client")
        release.set()
        assert everything.wait(5)

    assert [message.payload for message in delivered] == [str(number).encode() for number in range(count)]
    assert modem.callback_errors == []


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_released_client_does_not_act_on_the_next_one(
    modem: SimcomMqtt, broker_url: str, use: Callable[[MqttClient], object]
) -> None:
    with modem.connect(broker_url, client_id="first", index=0) as first:
        pass
    second = modem.connect(broker_url, client_id="second", index=0)

    with pytest.raises(ClosedError, match='client 0 as "first" was released'):
        use(first)

    assert not first.is_connected()
    first.__exit__(None, None, None)
    assert second.is_connected()
    assert [client.client_id for client in modem.clients()] == ["second"]
