"""Callbacks: who gets a message, in which order, on which thread, and what a callback may do."""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

import pytest

from host_client import HostClient, as_sent
from scripted_module import ScriptedModule
from simcom_mqtt import LossCause, Message, MqttClient, SimcomMqtt


@pytest.fixture
def client(modem: SimcomMqtt, broker_url: str) -> MqttClient:
    return modem.connect(broker_url)


def test_who_gets_a_message(modem: SimcomMqtt, client: MqttClient, host: HostClient, base: str) -> None:
    calls: queue.Queue[tuple[str, str]] = queue.Queue()

    def note(who: str) -> Callable[[Message], None]:
        return lambda message: calls.put((who, message.topic))

    modem.on_message = note("modem")
    client.subscribe(f"{base}/a/#", 1, callback=note("a/#"))
    client.subscribe(f"{base}/a/+", 1, callback=note("a/+"))
    client.subscribe(f"{base}/b", 1)

    host.publish(f"{base}/a/1", b"", 1)
    host.publish(f"{base}/b", b"", 1)
    assert [calls.get(timeout=5) for _ in range(2)] == [("a/#", f"{base}/a/1"), ("a/+", f"{base}/a/1")]
    assert calls.get(timeout=5) == ("modem", f"{base}/b")

    client.on_message = note("client")
    host.publish(f"{base}/b", b"", 1)
    assert calls.get(timeout=5) == ("client", f"{base}/b")

    client.on_message = None
    client.unsubscribe(f"{base}/a/#")
    host.publish(f"{base}/a/2", b"", 1)
    assert calls.get(timeout=5) == ("a/+", f"{base}/a/2")
    assert calls.empty()


def test_the_latest_callback_of_a_subscription_counts(
    client: MqttClient, host: HostClient, base: str
) -> None:
    calls: queue.Queue[str] = queue.Queue()
    client.subscribe(base, 1, callback=lambda _: calls.put("first"))
    client.subscribe(base, 1, callback=lambda _: calls.put("second"))

    host.publish(base, b"", 1)

    assert calls.get(timeout=5) == "second"
    assert calls.empty()


def test_one_at_a_time_in_order_on_one_thread(client: MqttClient, host: HostClient, base: str) -> None:
    calls: queue.Queue[tuple[bytes, threading.Thread]] = queue.Queue()
    client.subscribe(
        base, 1, callback=lambda message: calls.put((message.payload, threading.current_thread()))
    )

    for number in range(50):
        host.publish(base, b"%d" % number, 1)

    seen = [calls.get(timeout=5) for _ in range(50)]
    assert [payload for payload, _ in seen] == [b"%d" % number for number in range(50)]
    (thread,) = {thread for _, thread in seen}
    assert thread is not threading.main_thread()
    assert thread.daemon


def test_a_callback_may_call_anything(
    modem: SimcomMqtt, client: MqttClient, host: HostClient, base: str
) -> None:
    done: queue.Queue[object] = queue.Queue()
    host.subscribe(f"{base}/answer/#")

    def answer(message: Message) -> None:
        with client.capture(f"{base}/echo") as inbox:
            client.publish(f"{base}/answer/1", message.payload, 1)
            client.subscribe(f"{base}/echo", 1)
            client.publish(f"{base}/echo", b"to myself", 1)
            echoed = inbox.get()
        client.publish_nowait(f"{base}/answer/2", echoed.payload, 2).result(5)
        client.unsubscribe(f"{base}/echo")
        done.put(modem.signal_quality())

    client.subscribe(f"{base}/question", 1, callback=answer)
    host.publish(f"{base}/question", b"42", 1)

    assert done.get(timeout=8)
    assert as_sent(host.get()) == (f"{base}/answer/1", b"42", 1, False)
    assert as_sent(host.get()) == (f"{base}/answer/2", b"to myself", 2, False)


def test_waiting_for_a_message_in_a_callback(client: MqttClient, host: HostClient, base: str) -> None:
    arrived: Future[Message] = Future()
    client.subscribe(f"{base}/second", 1)
    client.subscribe(
        f"{base}/first",
        1,
        callback=lambda _: arrived.set_result(client.wait_for_message(f"{base}/second", timeout=5)),
    )
    host.publish(f"{base}/first", b"", 1)

    # What comes before the wait begins does not count.
    while not arrived.done():
        host.publish(f"{base}/second", b"now", 1)
        wait([arrived], timeout=0.05)
    assert arrived.result() == Message(f"{base}/second", b"now")


def test_an_exception_in_a_callback_is_kept_and_logged(
    modem: SimcomMqtt, client: MqttClient, host: HostClient, base: str, caplog: pytest.LogCaptureFixture
) -> None:
    survived = threading.Event()

    def fail(message: Message) -> None:
        if message.payload == b"last":
            survived.set()
        else:
            raise KeyError(message.text())

    client.subscribe(base, 1, callback=fail)
    with caplog.at_level(logging.ERROR, "simcom_mqtt"):
        for number in range(105):
            host.publish(base, b"%d" % number, 1)
        host.publish(base, b"last", 1)
        assert survived.wait(8)

    assert [repr(error) for error in modem.callback_errors] == [f"KeyError('{n}')" for n in range(100)]
    assert any(record.exc_info for record in caplog.records)


def test_a_lost_connection(modem: SimcomMqtt, client: MqttClient, host: HostClient) -> None:
    losses: queue.Queue[tuple[MqttClient, LossCause]] = queue.Queue()
    modem.on_connection_lost = lambda lost, cause: losses.put((lost, cause))

    with HostClient(host.port, client.client_id):
        assert losses.get(timeout=5) == (client, LossCause.CLOSED_PASSIVELY)

    assert not client.is_connected()
    assert not client.query().connected


def test_what_the_module_says_unasked() -> None:
    lines: queue.Queue[str] = queue.Queue()
    lost_network = threading.Event()
    losses: queue.Queue[tuple[int, LossCause]] = queue.Queue()
    answers = {
        "AT+CMQTTACCQ?": b'\r\n+CMQTTACCQ: 0,"dut",0\r\n+CMQTTACCQ: 1,"",0\r\n\r\nOK\r\n',
        "AT+CMQTTDISC?": b"\r\n+CMQTTDISC: 0,0\r\n+CMQTTDISC: 1,1\r\n\r\nOK\r\n",
    }
    with ScriptedModule(answers) as module, SimcomMqtt(module.port) as modem:
        modem.on_urc = lines.put
        modem.on_network_lost = lost_network.set
        modem.on_connection_lost = lambda client, cause: losses.put((client.index, cause))
        modem.clients()

        module.say(
            b"\r\n+CMQTTCONNLOST: 0,3\r\n\r\n+CMQTTNONET\r\n\r\nSMS DONE\r\n\r\n+CGEV: ME PDN ACT 1\r\n"
        )

        assert [lines.get(timeout=5) for _ in range(2)] == ["SMS DONE", "+CGEV: ME PDN ACT 1"]
        assert lost_network.wait(5)
        assert losses.get(timeout=5) == (0, LossCause.NETWORK_CLOSED)


def test_callbacks_can_be_read_and_removed(modem: SimcomMqtt, client: MqttClient) -> None:
    for name in (
        "on_message",
        "on_connection_lost",
        "on_network_lost",
        "on_reconnected",
        "on_restart",
        "on_message_lost",
        "on_urc",
    ):
        assert getattr(modem, name) is None
        setattr(modem, name, print)
        assert getattr(modem, name) is print
        setattr(modem, name, None)
        assert getattr(modem, name) is None
    client.on_message = print
    assert client.on_message is print


@pytest.mark.parametrize("name", ["on_message", "on_urc"])
def test_what_cannot_be_called_is_no_callback(modem: SimcomMqtt, name: str) -> None:
    with pytest.raises(TypeError, match="callable"):
        setattr(modem, name, 7)
