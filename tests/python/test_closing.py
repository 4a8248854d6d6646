"""close() returns at once, from any thread, any number of times, and ends every waiting call."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from host_client import HostClient
from scripted_broker import PUBLISH, SUBSCRIBE, ScriptedBroker
from scripted_module import ScriptedModule
from simcom_mqtt import (
    Capture,
    ClosedError,
    CommandTimeoutError,
    MessageTimeoutError,
    MqttClient,
    OutcomeUnknownError,
    SimcomMqtt,
)
from simcom_mqtt.simulator import SimulatedModem

# Longest close() while a callback blocks, and an allowance for a slow machine.
LONGEST_CLOSE = 2.0
ALLOWANCE = 3.0
AT_ONCE = 1.5


def seconds_of(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def ended_with(call: Callable[[], object]) -> BaseException | None:
    """Returns the exception that ends a waiting call."""
    try:
        call()
    except BaseException as error:
        return error
    return None


WAITS: dict[str, Callable[[SimcomMqtt, MqttClient, Capture], object]] = {
    "command": lambda modem, client, inbox: modem.command("AT+CPIN?", timeout=9),
    "upload_certificate": lambda modem, client, inbox: modem.upload_certificate("a.pem", b"pem"),
    "wait_for_network": lambda modem, client, inbox: modem.wait_for_network(9),
    "subscribe": lambda modem, client, inbox: client.subscribe("a"),
    "publish": lambda modem, client, inbox: client.publish("a", timeout=9),
    "query": lambda modem, client, inbox: client.query(),
    "wait_for_message": lambda modem, client, inbox: client.wait_for_message(timeout=9),
    "get": lambda modem, client, inbox: inbox.get(9),
    "wait_count": lambda modem, client, inbox: inbox.wait_count(9, 9),
    "messages": lambda modem, client, inbox: next(client.messages()),
    "result": lambda modem, client, inbox: client.publish_nowait("a").result(9),
    "publish_nowait": lambda modem, client, inbox: [client.publish_nowait("a") for _ in range(1002)],
}


def test_close_ends_every_waiting_call_with_closed_error() -> None:
    with ScriptedModule() as module, ThreadPoolExecutor(len(WAITS)) as pool:
        modem = SimcomMqtt(module.port)
        client = modem.acquire("dut")
        inbox = client.capture()
        module.fall_silent()
        seen = len(module.received)
        begun = threading.Barrier(len(WAITS) + 1)

        def wait(name: str) -> BaseException | None:
            begun.wait()
            return ended_with(lambda: WAITS[name](modem, client, inbox))

        ends = {name: pool.submit(wait, name) for name in WAITS}
        begun.wait()
        module.wait_for_more(seen)

        assert seconds_of(modem.close) < AT_ONCE
        found = {name: end.result(AT_ONCE) for name, end in ends.items()}

    assert {name: type(error) for name, error in found.items()} == dict.fromkeys(WAITS, ClosedError)


def test_close_ends_waits_although_messages_were_received(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    client = modem.connect(broker_url)
    client.subscribe(base)
    with ThreadPoolExecutor(2) as pool, client.capture() as inbox:
        host.publish(base, b"first", 1)
        assert inbox.get().payload == b"first"
        getting, counting = pool.submit(inbox.get), pool.submit(inbox.wait_count, 5)
        modem.close()
        assert isinstance(getting.exception(AT_ONCE), ClosedError)
        assert isinstance(counting.exception(AT_ONCE), ClosedError)
        # Collected messages can still be read.
        assert [message.payload for message in inbox.messages] == [b"first"]
        assert inbox.wait_count(1)[0].payload == b"first"


def test_get_on_an_ended_capture_says_that_it_has_ended(modem: SimcomMqtt, broker_url: str) -> None:
    with modem.connect(broker_url).capture() as inbox:
        pass

    with pytest.raises(MessageTimeoutError, match="the capture has ended"):
        inbox.get(9)


def test_publish_in_flight_at_close_has_unknown_outcome(simulator: SimulatedModem) -> None:
    with ScriptedBroker(silent_on=PUBLISH) as broker, ThreadPoolExecutor(1) as pool:
        modem = SimcomMqtt(simulator.port)
        client = modem.connect(broker.url)
        waiting = pool.submit(client.publish, "a", b"", 1)
        broker.wait_for(PUBLISH)
        modem.close()

        error = waiting.exception(AT_ONCE)

    assert isinstance(error, OutcomeUnknownError)
    assert isinstance(error.__cause__, ClosedError)
    assert error.late.exception(AT_ONCE) is not None


def test_subscribe_in_flight_at_close_raises_closed_error(simulator: SimulatedModem) -> None:
    with ScriptedBroker(silent_on=SUBSCRIBE) as broker, ThreadPoolExecutor(1) as pool:
        modem = SimcomMqtt(simulator.port)
        client = modem.connect(broker.url)
        waiting = pool.submit(client.subscribe, "a")
        broker.wait_for(SUBSCRIBE)
        modem.close()

        assert isinstance(waiting.exception(AT_ONCE), ClosedError)


def test_every_call_after_close_raises_closed_error(modem: SimcomMqtt, broker_url: str) -> None:
    client = modem.connect(broker_url)
    inbox = client.capture()
    modem.close()

    for name, wait in WAITS.items():
        began = time.monotonic()
        with pytest.raises(ClosedError):
            wait(modem, client, inbox)
        assert time.monotonic() - began < AT_ONCE, name
    for make in (client.capture, client.messages):
        with pytest.raises(ClosedError):
            make()
    with pytest.raises(ClosedError):
        modem.on_message = print
    modem.on_message = None
    assert (modem.is_open, client.is_connected()) == (False, False)
    assert "closed" in repr(modem)
    assert modem.stats.commands > 0


def test_close_from_many_threads_at_once(simulator: SimulatedModem) -> None:
    modem = SimcomMqtt(simulator.port)
    begun = threading.Barrier(8)

    def close() -> None:
        begun.wait()
        modem.close()
        # The port is free as soon as the first close() returns.
        assert not modem.is_open

    with ThreadPoolExecutor(8) as pool:
        for closing in [pool.submit(close) for _ in range(8)]:
            assert closing.exception(AT_ONCE) is None
    modem.close()
    with SimcomMqtt(simulator.port):
        pass


def test_close_ends_all_threads(simulator: SimulatedModem) -> None:
    before = set(threading.enumerate())
    modem = SimcomMqtt(simulator.port)
    modem.on_urc = print
    assert len(set(threading.enumerate()) - before) == 2
    modem.close()
    assert set(threading.enumerate()) == before


def test_close_from_a_callback_returns_at_once() -> None:
    closed: Future[float] = Future()
    with ScriptedModule() as module:
        modem = SimcomMqtt(module.port)
        later: list[str] = []

        def close(line: str) -> None:
            if closed.done():
                later.append(line)
            else:
                closed.set_result(seconds_of(modem.close))

        modem.on_urc = close
        module.say(b"\r\nSMS DONE\r\n" * 100)

        assert closed.result(5) < AT_ONCE
        modem.close()
        assert not modem.is_open

    # Queued lines are dropped: the driver is closed.
    assert later == []


def test_close_from_a_done_callback_returns_at_once(modem: SimcomMqtt) -> None:
    closed: Future[float] = Future()
    with ScriptedBroker(silent_on=PUBLISH) as broker:
        client = modem.connect(broker.url)
        future = client.publish_nowait("a", b"", 1)
        future.add_done_callback(lambda _: closed.set_result(seconds_of(modem.close)))
        broker.speak_again()

        assert closed.result(5) < AT_ONCE
    assert not modem.is_open


def test_close_while_a_callback_blocks_is_bounded() -> None:
    entered, release = threading.Event(), threading.Event()

    def block(_: str) -> None:
        entered.set()
        release.wait()

    with ScriptedModule() as module:
        modem = SimcomMqtt(module.port)
        modem.on_urc = block
        module.say(b"\r\nSMS DONE\r\n")
        assert entered.wait(5)
        try:
            assert seconds_of(modem.close) < LONGEST_CLOSE + ALLOWANCE
            with SimcomMqtt(module.port):
                pass
        finally:
            release.set()


def test_close_delivers_received_messages_first(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    client = modem.connect(broker_url)
    entered, release = threading.Event(), threading.Event()
    seen: list[bytes] = []

    def record(payload: bytes) -> None:
        entered.set()
        release.wait(5)
        seen.append(payload)

    client.subscribe(base, callback=lambda message: record(message.payload))
    with client.capture() as inbox:
        for number in range(20):
            host.publish(base, b"%d" % number, 1)
        inbox.wait_count(20)
    assert entered.wait(5)
    threading.Timer(0.1, release.set).start()

    modem.close()

    assert seen == [b"%d" % number for number in range(20)]
    assert modem.stats.dropped_messages == 0


def test_messages_undelivered_at_close_are_counted_as_dropped(
    modem: SimcomMqtt,
    broker_url: str,
    host: HostClient,
    base: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = modem.connect(broker_url)
    release = threading.Event()
    seen: list[bytes] = []

    def record(payload: bytes) -> None:
        seen.append(payload)
        release.wait()

    client.subscribe(base, callback=lambda message: record(message.payload))
    with client.capture() as inbox:
        for number in range(5):
            host.publish(base, b"%d" % number, 1)
        inbox.wait_count(5)

    modem.close()
    callbacks = next(thread for thread in threading.enumerate() if thread.name == "simcom-mqtt-callbacks")
    release.set()
    callbacks.join()

    assert seen == [b"0"]
    assert modem.stats.dropped_messages == 4
    assert any("closed with 4 messages" in record.message for record in caplog.records)


def test_close_while_a_done_callback_blocks_is_bounded(simulator: SimulatedModem) -> None:
    entered, release = threading.Event(), threading.Event()

    def block(_: Future[None]) -> None:
        entered.set()
        release.wait()

    with ScriptedBroker(silent_on=PUBLISH) as broker:
        modem = SimcomMqtt(simulator.port)
        client = modem.connect(broker.url)
        client.publish_nowait("a", b"", 1).add_done_callback(block)
        broker.speak_again()
        assert entered.wait(5)
        others = [client.publish_nowait("a", b"", 1) for _ in range(10)]
        try:
            assert seconds_of(modem.close) < LONGEST_CLOSE + ALLOWANCE
            # Every other future ends too, although a done-callback blocks.
            for other in others:
                assert other.done()
        finally:
            release.set()


def test_callback_can_be_set_after_its_thread_failed_to_start(
    modem: SimcomMqtt, monkeypatch: pytest.MonkeyPatch, simulator: SimulatedModem
) -> None:
    lines: queue.Queue[str] = queue.Queue()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _no_thread)
        with pytest.raises(RuntimeError, match="no thread"):
            modem.on_urc = lines.put
    assert modem.on_urc is None

    modem.on_urc = lines.put
    simulator.urc("SMS DONE")

    assert lines.get(timeout=5) == "SMS DONE"


def _no_thread(_: threading.Thread) -> None:
    raise RuntimeError("no thread")


def test_close_returns_at_once_when_the_module_is_mute() -> None:
    with ScriptedModule() as module:
        modem = SimcomMqtt(module.port)
        module.fall_silent()
        with pytest.raises(CommandTimeoutError):
            modem.command("AT+CPIN?", timeout=0.1)
        assert seconds_of(modem.close) < AT_ONCE
