"""Callbacks: which one gets a message, in which order, on which thread, and what a callback may do."""

import logging
import queue
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

import pytest

from host_client import HostClient, as_sent
from scripted_broker import ScriptedBroker
from scripted_module import ScriptedModule
from simcom_mqtt import LossCause, Message, MqttClient, PortError, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture
def client(modem: SimcomMqtt, broker_url: str) -> MqttClient:
    return modem.connect(broker_url)


def test_every_matching_callback_gets_the_message(modem: SimcomMqtt) -> None:
    calls: queue.Queue[tuple[str, str]] = queue.Queue()

    def record(name: str) -> Callable[[Message], None]:
        return lambda message: calls.put((name, message.topic))

    # Some brokers send a message once for each matching subscription; this one sends it once.
    with ScriptedBroker() as broker:
        client = modem.connect(broker.url)
        modem.on_message = record("modem")
        client.subscribe("a/#", 1, callback=record("a/#"))
        client.subscribe("a/+", 1, callback=record("a/+"))
        client.subscribe("b", 1)

        broker.publish(b"a/1")
        broker.publish(b"b")
        assert [calls.get(timeout=30) for _ in range(3)] == [("a/#", "a/1"), ("a/+", "a/1"), ("modem", "b")]

        client.on_message = record("client")
        broker.publish(b"b")
        assert calls.get(timeout=30) == ("client", "b")

        client.on_message = None
        client.unsubscribe("a/#")
        broker.publish(b"a/2")
        assert calls.get(timeout=30) == ("a/+", "a/2")
        assert calls.empty()
        client.disconnect()


def test_later_subscribe_replaces_the_callback(client: MqttClient, host: HostClient, base: str) -> None:
    calls: queue.Queue[str] = queue.Queue()
    client.subscribe(base, 1, callback=lambda _: calls.put("first"))
    client.subscribe(base, 1, callback=lambda _: calls.put("second"))

    host.publish(base, b"", 1)

    assert calls.get(timeout=30) == "second"
    assert calls.empty()


def test_callbacks_run_one_at_a_time_in_order_on_one_thread(
    client: MqttClient, host: HostClient, base: str
) -> None:
    calls: queue.Queue[tuple[bytes, threading.Thread]] = queue.Queue()
    client.subscribe(
        base, 1, callback=lambda message: calls.put((message.payload, threading.current_thread()))
    )

    for number in range(50):
        host.publish(base, b"%d" % number, 1)

    seen = [calls.get(timeout=30) for _ in range(50)]
    assert [payload for payload, _ in seen] == [b"%d" % number for number in range(50)]
    (thread,) = {thread for _, thread in seen}
    assert thread is not threading.main_thread()
    assert thread.daemon


def test_callback_may_call_blocking_methods(
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
        client.publish_nowait(f"{base}/answer/2", echoed.payload, 2).result(30)
        client.unsubscribe(f"{base}/echo")
        done.put(modem.signal_quality())

    client.subscribe(f"{base}/question", 1, callback=answer)
    host.publish(f"{base}/question", b"42", 1)

    assert done.get(timeout=30)
    assert as_sent(host.get()) == (f"{base}/answer/1", b"42", 1, False)
    assert as_sent(host.get()) == (f"{base}/answer/2", b"to myself", 2, False)


def test_callback_may_wait_for_a_message(client: MqttClient, host: HostClient, base: str) -> None:
    arrived: Future[Message] = Future()
    client.subscribe(f"{base}/second", 1)
    client.subscribe(
        f"{base}/first",
        1,
        callback=lambda _: arrived.set_result(client.wait_for_message(f"{base}/second", timeout=30)),
    )
    host.publish(f"{base}/first", b"", 1)

    # A message that arrives before the wait begins does not end it.
    while not arrived.done():
        host.publish(f"{base}/second", b"now", 1)
        wait([arrived], timeout=0.05)
    assert arrived.result() == Message(f"{base}/second", b"now")


def test_exception_in_callback_is_stored_and_logged(
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
        assert survived.wait(30)

    assert [repr(error) for error in modem.callback_errors] == [f"KeyError('{n}')" for n in range(100)]
    assert any(record.exc_info for record in caplog.records)


def test_lost_connection_calls_on_connection_lost(
    modem: SimcomMqtt, client: MqttClient, host: HostClient
) -> None:
    losses: queue.Queue[tuple[MqttClient, LossCause]] = queue.Queue()
    modem.on_connection_lost = lambda lost, cause: losses.put((lost, cause))

    with HostClient(host.port, client.client_id):
        assert losses.get(timeout=30) == (client, LossCause.CLOSED_PASSIVELY)

    assert not client.is_connected()
    assert not client.query().connected


def test_urcs_reach_their_callbacks() -> None:
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

        assert [lines.get(timeout=30) for _ in range(2)] == ["SMS DONE", "+CGEV: ME PDN ACT 1"]
        assert lost_network.wait(30)
        assert losses.get(timeout=30) == (0, LossCause.NETWORK_CLOSED)


def test_unplugged_port_calls_on_port_lost(simulator: SimulatedModem) -> None:
    reasons: queue.Queue[str] = queue.Queue()
    with SimcomMqtt(simulator.port) as modem:
        modem.on_port_lost = reasons.put
        simulator.unplug()

        reason = reasons.get(timeout=30)

        with pytest.raises(PortError, match=re.escape(reason)):
            modem.command("AT")
    assert reasons.empty()


def test_callbacks_can_be_read_and_removed(modem: SimcomMqtt, client: MqttClient) -> None:
    for name in (
        "on_message",
        "on_connection_lost",
        "on_network_lost",
        "on_reconnected",
        "on_restart",
        "on_port_lost",
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
def test_callback_that_is_not_callable_raises_type_error(modem: SimcomMqtt, name: str) -> None:
    with pytest.raises(TypeError, match="callable"):
        setattr(modem, name, 7)


@pytest.mark.parametrize(
    "kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, BaseExceptionGroup]
)
def test_delivery_continues_after_any_exception_in_callback(
    modem: SimcomMqtt,
    client: MqttClient,
    host: HostClient,
    base: str,
    caplog: pytest.LogCaptureFixture,
    kind: type[BaseException],
) -> None:
    error = kind("mine", [KeyError()]) if kind is BaseExceptionGroup else kind("mine")
    survived = threading.Event()

    def fail(message: Message) -> None:
        if message.payload:
            survived.set()
        else:
            raise error

    client.subscribe(base, 1, callback=fail)
    host.publish(base, b"", 1)
    host.publish(base, b"next", 1)

    assert survived.wait(30)
    assert modem.callback_errors == [error]
    traceback = error.__traceback__
    assert traceback
    assert traceback.tb_frame.f_code is fail.__code__
    assert [record.exc_info and record.exc_info[1] for record in caplog.records] == [error]


def test_second_callback_runs_when_the_first_raises(modem: SimcomMqtt) -> None:
    reached = threading.Event()

    def fail(message: Message) -> None:
        raise KeyError(message.topic)

    with ScriptedBroker() as broker:
        client = modem.connect(broker.url)
        client.subscribe("#", 1, callback=fail)
        client.subscribe("+", 1, callback=lambda _: reached.set())
        broker.publish(b"a")

        assert reached.wait(30)
        assert len(modem.callback_errors) == 1
        client.disconnect()


def test_delivery_continues_when_a_log_handler_raises(
    client: MqttClient, host: HostClient, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: queue.Queue[type[BaseException]] = queue.Queue()
    monkeypatch.setattr(threading, "excepthook", lambda hook: reported.put(hook.exc_type))
    survived = threading.Event()

    class Refusing(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise KeyboardInterrupt(record.getMessage())

    refusing = Refusing()
    logging.getLogger("simcom_mqtt").addFilter(refusing)

    def fail(message: Message) -> None:
        if message.payload:
            survived.set()
        else:
            raise ValueError

    try:
        client.subscribe(base, 1, callback=fail)
        host.publish(base, b"", 1)
        host.publish(base, b"next", 1)
        assert survived.wait(30)
    finally:
        logging.getLogger("simcom_mqtt").removeFilter(refusing)
    assert reported.get(timeout=30) is KeyboardInterrupt


def test_blocking_callback_loses_no_message(
    modem: SimcomMqtt, client: MqttClient, host: HostClient, base: str
) -> None:
    entered, release = threading.Event(), threading.Event()
    calls: queue.Queue[bytes] = queue.Queue()

    def block(message: Message) -> None:
        entered.set()
        assert release.wait(30)
        calls.put(message.payload)

    client.subscribe(base, 1, callback=block)
    with client.capture() as inbox:
        host.publish(base, b"0", 1)
        assert entered.wait(30)
        for number in range(1, 300):
            host.publish(base, b"%d" % number)
        inbox.wait_count(300, 5)
        # A blocked callback delays other callbacks, but no call.
        assert modem.signal_quality()
        assert client.publish_nowait(f"{base}/up", b"", 1).result(30) is None
    assert modem.stats.queue_peak == 299
    assert calls.empty()

    release.set()

    assert [calls.get(timeout=30) for _ in range(300)] == [b"%d" % number for number in range(300)]
    assert modem.stats.dropped_messages == 0


def test_callback_may_replace_itself(client: MqttClient, host: HostClient, base: str) -> None:
    calls: queue.Queue[str] = queue.Queue()

    def second(message: Message) -> None:
        calls.put(f"second {message.text()}")

    def first(message: Message) -> None:
        client.subscribe(base, 1, callback=second)
        calls.put(f"first {message.text()}")

    client.subscribe(base, 1, callback=first)
    # Both may be queued before the first is delivered.
    host.publish(base, b"0", 1)
    host.publish(base, b"1", 1)

    assert [calls.get(timeout=30) for _ in range(2)] == ["first 0", "second 1"]


def test_callback_may_unsubscribe_itself(modem: SimcomMqtt) -> None:
    calls: queue.Queue[str] = queue.Queue()
    modem.on_message = lambda message: calls.put(f"modem {message.text()}")

    with ScriptedBroker() as broker:
        client = modem.connect(broker.url)

        def once(message: Message) -> None:
            client.unsubscribe("a")
            calls.put(f"once {message.text()}")

        client.subscribe("#", 1)
        client.subscribe("a", 1, callback=once)
        broker.publish(b"a", b"0")
        assert calls.get(timeout=30) == "once 0"
        broker.publish(b"a", b"1")

        assert calls.get(timeout=30) == "modem 1"
        assert modem.subscribed_topics() == [b"#"]
        client.disconnect()


def test_removing_a_running_callback_applies_to_the_next_message(
    modem: SimcomMqtt, client: MqttClient, host: HostClient, base: str
) -> None:
    entered, release = threading.Event(), threading.Event()
    calls: queue.Queue[str] = queue.Queue()

    def block(message: Message) -> None:
        entered.set()
        assert release.wait(30)
        calls.put(f"client {message.text()}")

    client.on_message = block
    client.subscribe(base, 1)
    host.publish(base, b"0", 1)
    assert entered.wait(30)
    host.publish(base, b"1", 1)
    client.on_message = None
    modem.on_message = lambda message: calls.put(f"modem {message.text()}")
    release.set()

    assert [calls.get(timeout=30) for _ in range(2)] == ["client 0", "modem 1"]


def test_callback_may_remove_itself(
    modem: SimcomMqtt, client: MqttClient, host: HostClient, base: str
) -> None:
    calls: queue.Queue[str] = queue.Queue()

    class Once:
        def __call__(self, message: Message) -> None:
            client.on_message = None
            calls.put(message.text())

        def __del__(self) -> None:
            # Runs while the driver drops the callback, and may call the driver.
            calls.put(f"gone {client.on_message} {modem.is_open}")

    client.on_message = Once()
    client.subscribe(base, 1)
    host.publish(base, b"0", 1)

    assert [calls.get(timeout=30) for _ in range(2)] == ["0", "gone None True"]
