"""Waiting without sleeping: captures, iterators, `wait_for_message` and futures."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from io import StringIO

import pytest
from tqdm import tqdm  # type: ignore[import-untyped]

from host_client import HostClient, as_sent
from scripted_broker import PUBLISH, ScriptedBroker
from simcom_mqtt import Message, MessageTimeoutError, MqttClient, SimcomMqtt


@pytest.fixture
def client(modem: SimcomMqtt, broker_url: str, base: str) -> MqttClient:
    """Connected, and subscribed to everything below `base`."""
    client = modem.connect(broker_url)
    client.subscribe(f"{base}/#", 1)
    return client


def test_capture_get_returns_messages_in_order(client: MqttClient, host: HostClient, base: str) -> None:
    with client.capture(f"{base}/wanted/#") as inbox:
        for number in range(3):
            host.publish(f"{base}/other", b"", 1)
            host.publish(f"{base}/wanted/{number}", b"%d" % number, 1)

        assert [inbox.get().payload for _ in range(3)] == [b"0", b"1", b"2"]
        assert [message.payload for message in inbox.messages] == [b"0", b"1", b"2"]


def test_capture_ends_with_its_block(client: MqttClient, host: HostClient, base: str) -> None:
    with client.capture() as inbox:
        host.publish(f"{base}/during", b"", 1)
        inbox.wait_count(1)
    with client.capture() as later:
        host.publish(f"{base}/after", b"", 1)
        later.wait_count(1)

    assert [message.topic for message in inbox.messages] == [f"{base}/during"]
    assert inbox.get(timeout=0).topic == f"{base}/during"


def test_capture_begins_with_its_call(client: MqttClient, host: HostClient, base: str) -> None:
    inbox = client.capture()
    with client.capture() as other:
        host.publish(f"{base}/early", b"", 1)
        other.get()

    with inbox:
        assert inbox.get(timeout=0).topic == f"{base}/early"


def test_get_times_out_and_lists_received_messages(client: MqttClient, host: HostClient, base: str) -> None:
    with client.capture() as inbox:
        host.publish(f"{base}/only", b"one", 1)
        inbox.get()

        with pytest.raises(MessageTimeoutError) as late:
            inbox.get(timeout=0.05)

    assert late.value.received == [Message(f"{base}/only", b"one")]


def test_wait_count_times_out_and_lists_received_messages(
    client: MqttClient, host: HostClient, base: str
) -> None:
    with client.capture() as inbox:
        host.publish(f"{base}/only", b"one", 1)
        inbox.wait_count(1)

        with pytest.raises(MessageTimeoutError, match="1 of 2") as late:
            inbox.wait_count(2, timeout=0.05)

    assert late.value.received == [Message(f"{base}/only", b"one")]


def test_timeout_error_names_each_topic_once(client: MqttClient, host: HostClient, base: str) -> None:
    with client.capture() as inbox:
        for topic in ("one", "two", "two"):
            host.publish(f"{base}/{topic}", b"", 1)
        inbox.wait_count(3)

        with pytest.raises(MessageTimeoutError, match=f"3 arrived, the last on {base}/two, {base}/one$"):
            inbox.wait_count(4, timeout=0.05)


def test_captures_and_callbacks_get_the_same_message(client: MqttClient, host: HostClient, base: str) -> None:
    called = threading.Event()
    client.subscribe(f"{base}/both", 1, callback=lambda _: called.set())

    with client.capture(f"{base}/both") as inbox, client.capture() as second:
        host.publish(f"{base}/both", b"", 1)
        assert inbox.get() == second.get()
    assert called.wait(30)


def test_wait_for_message_returns_the_matching_message(
    client: MqttClient, host: HostClient, base: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            client.wait_for_message, f"{base}/+", timeout=5, match=lambda message: message.payload == b"yes"
        )
        while not waiting.done():
            host.publish(f"{base}/answer", b"no", 1)
            host.publish(f"{base}/answer", b"yes", 1)
            wait([waiting], timeout=0.05)

    assert waiting.result() == Message(f"{base}/answer", b"yes")


def test_wait_for_message_times_out_and_lists_others(client: MqttClient, host: HostClient, base: str) -> None:
    stop = threading.Event()

    def chatter() -> None:
        while not stop.wait(0.02):
            host.publish(f"{base}/other", b"chatter", 1)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(chatter)
        with pytest.raises(MessageTimeoutError) as late:
            client.wait_for_message(f"{base}/wanted", timeout=0.5)
        stop.set()

    assert Message(f"{base}/other", b"chatter") in late.value.received


def test_exception_in_match_reaches_the_caller(client: MqttClient, host: HostClient, base: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.wait_for_message, timeout=5, match=lambda message: message.json())
        while not waiting.done():
            host.publish(f"{base}/answer", b"no json", 1)
            wait([waiting], timeout=0.05)

    with pytest.raises(ValueError, match="Expecting value"):
        waiting.result()


def test_messages_iterates_until_its_timeout(client: MqttClient, host: HostClient, base: str) -> None:
    messages = client.messages(f"{base}/count", timeout=0.3)
    for number in range(5):
        host.publish(f"{base}/count", b"%d" % number, 1)
        host.publish(f"{base}/other", b"", 1)

    # The timeout between two messages ends the iteration.
    assert [message.payload for message in messages] == [b"0", b"1", b"2", b"3", b"4"]


def test_messages_iterator_may_be_left_early(client: MqttClient, host: HostClient, base: str) -> None:
    messages = client.messages(timeout=5)
    host.publish(f"{base}/first", b"", 1)

    for message in messages:
        assert message.topic == f"{base}/first"
        break


def test_publish_nowait_sends_all(client: MqttClient, host: HostClient, base: str) -> None:
    host.subscribe(f"{base}/up")

    futures = [client.publish_nowait(f"{base}/up", b"%d" % number, number % 3) for number in range(30)]  # type: ignore[arg-type]
    for future in futures:
        assert future.result(30) is None

    assert sorted(int(host.get().payload) for _ in futures) == list(range(30))


def test_done_callback_of_a_publish_is_called(client: MqttClient, base: str) -> None:
    called: Future[Future[None]] = Future()

    client.publish_nowait(f"{base}/up").add_done_callback(called.set_result)

    assert called.result(30).result() is None


def test_full_queue_blocks_publish_nowait(modem: SimcomMqtt) -> None:
    with ScriptedBroker(silent_on=PUBLISH) as broker:
        client = modem.connect(broker.url)
        futures = [client.publish_nowait("a/b", b"", 1)]
        broker.wait_for(PUBLISH)
        futures += [client.publish_nowait("a/b") for _ in range(999)]

        with ThreadPoolExecutor(1) as pool:
            blocked = pool.submit(lambda: [client.publish_nowait("a/b") for _ in range(2)])
            assert wait([blocked], timeout=0.3).not_done
            broker.speak_again()
            futures += blocked.result(30)
        for future in futures:
            future.result(30)
        client.disconnect()


def test_message_has_its_time_of_receipt(client: MqttClient, host: HostClient, base: str) -> None:
    before = time.time()
    with client.capture() as inbox:
        host.publish(f"{base}/now", b"", 1)
        message = inbox.get()

    assert before <= message.received_at <= time.time()


def test_queued_publish_arrives_with_qos_and_retain(client: MqttClient, host: HostClient, base: str) -> None:
    host.subscribe(f"{base}/up")

    client.publish_nowait(f"{base}/up", b"queued", 2, retain=True).result(30)

    assert as_sent(host.get()) == (f"{base}/up", b"queued", 2, True)
    client.publish(f"{base}/up", retain=True)


def test_tqdm_works_with_messages_and_futures(client: MqttClient, base: str) -> None:
    output = StringIO()
    messages = client.messages(f"{base}/#", timeout=0.5)
    futures = [client.publish_nowait(f"{base}/count", str(number), 1) for number in range(5)]

    for future in tqdm(as_completed(futures), total=5, file=output):
        future.result()
    received = [message.text() for message in tqdm(messages, total=5, file=output)]

    assert received == ["0", "1", "2", "3", "4"]
    assert output.getvalue().count("5/5") == 2
