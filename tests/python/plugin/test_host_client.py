"""The host client: its captures work like those of the driver, and its errors name the cause."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from mosquitto_broker import MosquittoBroker, free_ports
from pytest_simcom_mqtt import HostClient, HostMessage
from scripted_broker import ScriptedBroker
from simcom_mqtt import Message, MessageTimeoutError


@pytest.fixture
def client(mosquitto: MosquittoBroker) -> Iterator[HostClient]:
    """Connected to Mosquitto's plain listener."""
    with HostClient("127.0.0.1", mosquitto.plain) as connected:
        yield connected


def test_capture_has_matching_messages_from_its_call_on(client: HostClient, base: str) -> None:
    client.subscribe(f"{base}/#", qos=2)
    with client.capture(f"{base}/+/before") as everything:
        client.publish(f"{base}/1/before", "1", qos=1)
        everything.wait_count(1)
        with client.capture(f"{base}/#") as inbox:
            client.publish(f"{base}/2/before", b"2", qos=2)
            client.publish(f"{base}/2/other", "3")
            assert [message.payload for message in inbox.wait_count(2)] == [b"2", b"3"]
        client.publish(f"{base}/3/before", "4", qos=1)
        everything.wait_count(3)

    assert [inbox.get(timeout=0).text() for _ in range(2)] == ["2", "3"]
    assert inbox.messages == [
        HostMessage(f"{base}/2/before", b"2", 2, False),
        HostMessage(f"{base}/2/other", b"3", 0, False),
    ]
    assert [message.text() for message in everything.messages] == ["1", "2", "4"]


def test_retained_message_has_flag(client: HostClient, base: str) -> None:
    client.publish(f"{base}/state", '{"up": true}', qos=1, retain=True)
    with client.capture() as inbox:
        client.subscribe(f"{base}/state")
        message = inbox.get()
    client.publish(f"{base}/state", retain=True, qos=1)

    assert message.retain
    assert message.json() == {"up": True}


def test_timeout_lists_the_messages_that_arrived(client: HostClient, base: str) -> None:
    client.subscribe(f"{base}/#")
    with client.capture(f"{base}/#") as arrived, client.capture(f"{base}/wanted") as inbox:
        client.publish(f"{base}/other", "not this")
        arrived.get()
        with pytest.raises(MessageTimeoutError) as failure:
            inbox.get(timeout=0.01)

    assert failure.value.received == [Message(f"{base}/other", "not this")]
    assert str(failure.value) == (
        f"0 of 1 messages to '{base}/wanted' arrived within 0.01 s; the host received: {base}/other; "
        f"it is subscribed to: {base}/#"
    )


def test_timeout_without_subscription_says_so(client: HostClient) -> None:
    with client.capture() as inbox, pytest.raises(MessageTimeoutError, match=r"call subscribe\(\) first"):
        inbox.wait_count(2, timeout=0.01)


def test_refused_connection_names_address() -> None:
    (port,) = free_ports(1)
    with pytest.raises(ConnectionError, match=rf"at 127\.0\.0\.1:{port}: .*refused; is the broker running"):
        HostClient("127.0.0.1", port).__enter__()


def test_broker_that_requires_password(mosquitto: MosquittoBroker) -> None:
    with pytest.raises(ConnectionError, match="the broker refused: Not authorized"):
        HostClient("127.0.0.1", mosquitto.password).__enter__()


def test_refused_subscription() -> None:
    with (
        ScriptedBroker(suback=0x80) as broker,
        HostClient("127.0.0.1", urlsplit(broker.url).port or 0) as client,
        pytest.raises(PermissionError, match="refused the subscription to secret/#: do its access rules"),
    ):
        client.subscribe("secret/#")
