"""Many threads on one module, and every method inside a callback."""

import queue
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from simcom_mqtt import Capture, Message, MqttClient, SimcomMqtt, Tls, Will
from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture
def frequent_thread_switches() -> Iterator[None]:
    """Makes Python switch threads as often as possible."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("frequent_thread_switches")
def test_eight_threads_publish_and_subscribe_on_two_clients(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    each = 25
    clients = [modem.connect(broker_url), modem.connect(broker_url)]
    seen: Counter[tuple[int, str, bytes]] = Counter()
    inboxes = [client.capture(f"{base}/#") for client in clients]
    host.subscribe(f"{base}/up/#")

    def record(message: Message) -> None:
        seen[message.client_index, message.topic, message.payload] += 1

    def work(worker: int) -> None:
        client = clients[worker % 2]
        client.subscribe(f"{base}/down/{worker}", 1, callback=record)
        futures = []
        for number in range(each):
            futures.append(client.publish_nowait(f"{base}/up/{worker}", b"%d" % number, 1))
            client.publish(f"{base}/down/{worker}", b"%d" % number, 1)
            if number % 10 == 0:
                client.subscribe(f"{base}/extra/{worker}", callback=record)
                client.unsubscribe(f"{base}/extra/{worker}")
                assert modem.signal_quality()
        for future in futures:
            future.result(30)

    with ThreadPoolExecutor(8) as pool:
        for working in [pool.submit(work, worker) for worker in range(8)]:
            working.result(30)

    up = [host.get() for _ in range(8 * each)]
    for worker in range(8):
        mine = [message.payload for message in up if message.topic == f"{base}/up/{worker}"]
        assert mine == [b"%d" % number for number in range(each)]
    for inbox in inboxes:
        inbox.wait_count(4 * each)
    modem.close()
    assert seen == {
        (worker % 2, f"{base}/down/{worker}", b"%d" % number): 1
        for worker in range(8)
        for number in range(each)
    }
    assert [len(inbox.messages) for inbox in inboxes] == [4 * each, 4 * each]
    assert modem.stats.dropped_messages == 0


@pytest.mark.usefixtures("frequent_thread_switches")
def test_callbacks_may_change_while_messages_arrive(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    client = modem.connect(broker_url)
    client.subscribe(base)
    counts = [0, 0]

    def even(_: Message) -> None:
        counts[0] += 1

    def odd(_: Message) -> None:
        counts[1] += 1

    client.on_message = even
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            client.on_message = odd
            client.on_message = even

    with ThreadPoolExecutor(1) as pool, client.capture() as inbox:
        changing = pool.submit(change)
        for number in range(200):
            host.publish(base, b"%d" % number, 1)
        inbox.wait_count(200)
        stop.set()
        changing.result(30)
    modem.close()

    assert sum(counts) == 200


CALLS: dict[str, Callable[[SimcomMqtt, MqttClient, Capture], object]] = {
    "acquire": lambda modem, client, inbox: modem.acquire("other", 1).release(),
    "capture": lambda modem, client, inbox: client.capture().messages,
    "cell": lambda modem, client, inbox: modem.cell(),
    "certificates": lambda modem, client, inbox: modem.certificates(),
    "client_id": lambda modem, client, inbox: client.client_id,
    "clients": lambda modem, client, inbox: modem.clients(),
    "command": lambda modem, client, inbox: modem.command("AT"),
    "callback_errors": lambda modem, client, inbox: modem.callback_errors,
    "configure_ssl": lambda modem, client, inbox: modem.configure_ssl(3, sslversion=4),
    "index": lambda modem, client, inbox: client.index,
    "info": lambda modem, client, inbox: modem.info(),
    "is_connected": lambda modem, client, inbox: client.is_connected(),
    "is_open": lambda modem, client, inbox: modem.is_open,
    "is_started": lambda modem, client, inbox: modem.is_started(),
    "limits": lambda modem, client, inbox: modem.limits(),
    "modem": lambda modem, client, inbox: client.modem,
    "on_connection_lost": lambda modem, client, inbox: setattr(modem, "on_connection_lost", print),
    "on_message": lambda modem, client, inbox: setattr(client, "on_message", print),
    "on_message_lost": lambda modem, client, inbox: setattr(modem, "on_message_lost", print),
    "on_network_lost": lambda modem, client, inbox: setattr(modem, "on_network_lost", print),
    "on_reconnected": lambda modem, client, inbox: setattr(modem, "on_reconnected", print),
    "on_port_lost": lambda modem, client, inbox: setattr(modem, "on_port_lost", print),
    "on_restart": lambda modem, client, inbox: setattr(modem, "on_restart", print),
    "on_urc": lambda modem, client, inbox: setattr(modem, "on_urc", print),
    "pdp_contexts": lambda modem, client, inbox: modem.pdp_contexts(),
    "port": lambda modem, client, inbox: modem.port,
    "publish": lambda modem, client, inbox: client.publish("elsewhere", b"x", 2),
    "publish_nowait": lambda modem, client, inbox: client.publish_nowait("elsewhere", b"x", 1).result(30),
    "query": lambda modem, client, inbox: client.query(),
    "signal_quality": lambda modem, client, inbox: modem.signal_quality(),
    "ssl_context": lambda modem, client, inbox: modem.ssl_context(3),
    "stats": lambda modem, client, inbox: modem.stats,
    "subscribed_topics": lambda modem, client, inbox: modem.subscribed_topics(),
    "upload_certificate": lambda modem, client, inbox: modem.upload_certificate("a.pem", b"pem"),
    "delete_certificate": lambda modem, client, inbox: modem.delete_certificate("a.pem"),
    "clock": lambda modem, client, inbox: modem.clock(),
    "data_contexts": lambda modem, client, inbox: modem.data_contexts(),
    "enter_pin": lambda modem, client, inbox: modem.enter_pin("1234"),
    "position": lambda modem, client, inbox: modem.position(),
    "registration": lambda modem, client, inbox: modem.registration(),
    "set_apn": lambda modem, client, inbox: modem.set_apn("internet"),
    "set_gnss": lambda modem, client, inbox: modem.set_gnss(False),
    "sim": lambda modem, client, inbox: modem.sim(),
    "sync_clock": lambda modem, client, inbox: modem.sync_clock(),
    "wait_for_network": lambda modem, client, inbox: modem.wait_for_network(),
    # Each of these waits for a message that its own call publishes.
    "subscribe": lambda modem, client, inbox: client.subscribe(f"own/{client.client_id}", 1),
    "get": lambda modem, client, inbox: _get(client, inbox),
    "wait_count": lambda modem, client, inbox: inbox.wait_count(1, 5),
    "messages": lambda modem, client, inbox: _first_of(client),
    "wait_for_message": lambda modem, client, inbox: _wait_while_publishing(client),
    "unsubscribe": lambda modem, client, inbox: client.unsubscribe(f"own/{client.client_id}"),
    "disconnect": lambda modem, client, inbox: client.disconnect(),
    "set_will": lambda modem, client, inbox: client.set_will("a", b"b"),
    "use_ssl_context": lambda modem, client, inbox: client.use_ssl_context(3),
    "configure": lambda modem, client, inbox: client.configure(check_utf8=True, operation_timeout=60),
    "connect": lambda modem, client, inbox: client.query(),
    "release": lambda modem, client, inbox: client.release(),
    "stop": lambda modem, client, inbox: modem.stop(),
    "start": lambda modem, client, inbox: modem.start(),
    "close": lambda modem, client, inbox: modem.close(),
}


def _get(client: MqttClient, inbox: Capture) -> Message:
    client.publish(f"own/{client.client_id}", b"1", 1)
    return inbox.get(5)


def _first_of(client: MqttClient) -> Message:
    messages = client.messages(f"own/{client.client_id}", timeout=5)
    client.publish(f"own/{client.client_id}", b"3", 1)
    return next(messages)


def _wait_while_publishing(client: MqttClient) -> Message:
    publishes = []

    def wanted(message: Message) -> bool:
        # Runs in the waiting thread, and may call blocking methods.
        publishes.append(message)
        client.publish(f"own/{client.client_id}", b"5", 1)
        return len(publishes) > 2

    client.publish_nowait(f"own/{client.client_id}", b"4", 1)
    return client.wait_for_message(timeout=30, match=wanted)


def test_every_method_works_in_a_callback(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, mosquitto: MosquittoBroker
) -> None:
    client = modem.connect(broker_url)
    inbox = client.capture(f"own/{client.client_id}")
    done: Future[None] = Future()
    called: list[str] = []

    def call_everything(_: str) -> None:
        try:
            for name, call in CALLS.items():
                called.append(name)
                if name == "connect":
                    client.connect(broker_url)
                    client.disconnect()
                    continue
                call(modem, client, inbox)
            done.set_result(None)
        except BaseException as error:
            error.add_note(f"in {called[-1]}")
            done.set_exception(error)

    modem.on_urc = call_everything
    simulator.urc("SMS DONE")

    done.result(30)
    assert modem.callback_errors == []


def test_tls_connect_works_in_a_callback(
    modem: SimcomMqtt, simulator: SimulatedModem, mosquitto: MosquittoBroker, base: str, tmp_path: Path
) -> None:
    authority = tmp_path / "ca.pem"
    mosquitto.authority.cert_pem.write_to_path(authority)
    done: Future[Message] = Future()

    def work(_: str) -> None:
        with (
            modem.connect(
                f"mqtts://127.0.0.1:{mosquitto.tls}", tls=Tls(ca=authority), will=Will(base, b"gone")
            ) as client,
            client.capture(base) as inbox,
        ):
            client.subscribe(base, 1)
            client.publish(base, b"over TLS", 1)
            done.set_result(inbox.get())

    modem.on_urc = work
    simulator.urc("SMS DONE")

    assert done.result(30).payload == b"over TLS"


def test_every_public_name_is_in_calls() -> None:
    names = {
        name for kind in (SimcomMqtt, MqttClient, Capture) for name in vars(kind) if not name.startswith("_")
    }
    assert names - set(CALLS) == set()


def test_many_threads_share_one_line(modem: SimcomMqtt) -> None:
    answers: queue.Queue[object] = queue.Queue()

    def ask() -> None:
        for _ in range(20):
            answers.put((modem.signal_quality().rssi_dbm, modem.info().imei, modem.command("AT")))

    with ThreadPoolExecutor(8) as pool:
        for asking in [pool.submit(ask) for _ in range(8)]:
            asking.result(30)

    assert len({repr(answers.get_nowait()) for _ in range(160)}) == 1


def test_two_modules_are_independent(simulator: SimulatedModem, broker_url: str, base: str) -> None:
    with (
        SimulatedModem() as other_simulator,
        SimcomMqtt(simulator.port) as one,
        SimcomMqtt(other_simulator.port) as other,
    ):
        clients = [one.connect(broker_url), other.connect(broker_url)]
        inboxes = [client.capture() for client in clients]
        for client in clients:
            client.subscribe(f"{base}/{client.client_id}", 1)
        for client in clients:
            for number in range(20):
                client.publish_nowait(f"{base}/{client.client_id}", b"%d" % number, 1)
        for client, inbox in zip(clients, inboxes, strict=True):
            topics = {message.topic for message in inbox.wait_count(20)}
            assert topics == {f"{base}/{client.client_id}"}
        one.close()
        assert other.command("AT") == []
