"""Publishes queued while the connection is lost, and those in flight when it was lost."""

from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from recorded_events import LogRecords, RecordedEvents
from scripted_broker import PUBLISH, ScriptedBroker
from simcom_mqtt import (
    ConnectionLostError,
    LossCause,
    Message,
    MqttClient,
    MqttError,
    OutcomeUnknownError,
    Reconnect,
    SimcomMqtt,
)
from simcom_mqtt.simulator import SimulatedModem
from simcom_mqtt.types import QoS

FAST = Reconnect(min_delay=0.05, max_delay=0.2)
DUP = 8


@pytest.fixture
def events(modem: SimcomMqtt) -> RecordedEvents:
    return RecordedEvents(modem)


@pytest.fixture
def client(modem: SimcomMqtt, broker_url: str, events: RecordedEvents) -> MqttClient:
    return modem.connect(broker_url, client_id="publisher", reconnect=FAST)


@pytest.fixture
def offline_client(simulator: SimulatedModem, client: MqttClient, events: RecordedEvents) -> MqttClient:
    """A client without network until `restore_network`."""
    simulator.lose_network()
    events.wait_for("network lost")
    return client


def in_flight(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, topic: str, qos: QoS
) -> Future[None]:
    """Returns a publish that the broker has received and whose result is missing."""
    host.subscribe(topic)
    simulator.mute_next("CMQTTPUB", "result")
    future = client.publish_nowait(topic, b"in flight", qos)
    assert host.get().payload == b"in flight"
    return future


def test_qos_1_in_flight_is_resent_with_dup(
    client: MqttClient, simulator: SimulatedModem, mosquitto: MosquittoBroker, host: HostClient, base: str
) -> None:
    future = in_flight(client, simulator, host, base, 1)
    since = mosquitto.log_length

    simulator.drop_connection(0)

    assert future.result(30) is None
    mosquitto.wait_for_log(rf"Received PUBLISH from publisher \(d1, q1, r0, m\d+, '{base}'", since=since)
    assert host.get().payload == b"in flight"
    assert [line for line in simulator.received if line.startswith("AT+CMQTTPUB=")] == [
        "AT+CMQTTPUB=0,1,60",
        "AT+CMQTTPUB=0,1,60,0,1",
    ]


def test_unacknowledged_qos_1_is_resent_with_dup(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    """The module reports code 6, message receive fail, before the loss."""
    with ScriptedBroker(silent_on=PUBLISH) as broker:
        client = modem.connect(broker.url, reconnect=FAST)
        future = client.publish_nowait("a/b", b"retained", 1, retain=True)
        assert not broker.wait_for(PUBLISH).flags & DUP

        broker.silent_on = None
        broker.close_connections()

        again = broker.wait_for(PUBLISH)
        assert (again.flags & DUP, again.payload) == (DUP, b"retained")
        assert future.result(30) is None
        assert simulator.received[-1] == "AT+CMQTTPUB=0,1,60,1,1"
        client.disconnect()


@pytest.mark.parametrize("qos", [0, 2])
def test_qos_0_and_2_in_flight_have_unknown_outcome(
    client: MqttClient,
    simulator: SimulatedModem,
    host: HostClient,
    events: RecordedEvents,
    base: str,
    qos: QoS,
) -> None:
    future = in_flight(client, simulator, host, base, qos)

    simulator.drop_connection(0)

    with pytest.raises(OutcomeUnknownError, match="CONNLOST") as unknown:
        future.result(30)
    assert isinstance(unknown.value.__cause__, ConnectionLostError)
    with pytest.raises(OutcomeUnknownError):
        unknown.value.late.result(30)
    events.wait_for("reconnected", 0)
    client.publish(base, b"after it")
    assert host.get().payload == b"after it"


def test_qos_2_in_flight_is_resent_with_resend_qos2(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    policy = Reconnect(min_delay=0.05, max_delay=0.2, resend_qos2=True)
    client = modem.connect(broker_url, reconnect=policy)
    future = in_flight(client, simulator, host, base, 2)

    simulator.drop_connection(0)

    assert future.result(30) is None
    assert host.get().payload == b"in flight"
    published = [line for line in simulator.received if line.startswith("AT+CMQTTPUB=")]
    assert published == ["AT+CMQTTPUB=0,2,60"] * 2


def test_publishes_behind_one_in_flight_are_sent_in_order(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    first = in_flight(client, simulator, host, base, 1)
    futures = [client.publish_nowait(base, b"%d" % number, number % 3) for number in range(50)]  # type: ignore[arg-type]

    simulator.drop_connection(0)

    for future in [first, *futures]:
        assert future.result(30) is None
    assert host.get().payload == b"in flight"
    received = [host.get() for _ in futures]
    for qos in (0, 1, 2):
        numbers = [int(message.payload) for message in received if message.qos == qos]
        assert numbers == list(range(qos, 50, 3))
    assert host.is_empty()


def test_publish_interrupted_before_pub_stays_first(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, events: RecordedEvents, base: str
) -> None:
    host.subscribe(base)
    simulator.delay_next("CMQTTPAYLOAD", 0.3, "ok")

    futures = [client.publish_nowait(base, b"%d" % number, 1) for number in range(5)]
    simulator.drop_connection(0)

    for future in futures:
        assert future.result(30) is None
    assert [int(host.get().payload) for _ in futures] == list(range(5))
    assert host.is_empty()
    events.wait_for("reconnected", 0)


def test_order_is_kept_when_lost_again_while_flushing(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, events: RecordedEvents, base: str
) -> None:
    host.subscribe(base)
    with ThreadPoolExecutor(1) as pool:

        def drop() -> None:
            for _ in range(3):
                host_saw = bytes(host.get().payload)
                simulator.drop_connection(0, 2)
                seen.append(host_saw)

        seen: list[bytes] = []
        dropping = pool.submit(drop)
        futures = [client.publish_nowait(base, b"%03d" % number, 1) for number in range(300)]
        dropping.result(30)
    for future in futures:
        assert future.result(30) is None

    while len(set(seen)) < len(futures):
        seen.append(bytes(host.get().payload))
    # QoS 1 may arrive twice, but the order is kept.
    first_seen = list(dict.fromkeys(seen))
    assert first_seen == [b"%03d" % number for number in range(300)]
    assert len(seen) <= len(futures) + 3


def test_publish_while_offline_waits_for_the_connection(
    offline_client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    host.subscribe(f"{base}/#")
    with ThreadPoolExecutor(3) as pool:
        waiting = [
            pool.submit(offline_client.publish, f"{base}/{qos}", b"", qos, timeout=8) for qos in (0, 1, 2)
        ]
        assert wait(waiting, timeout=0.2).not_done == set(waiting)
        simulator.restore_network()
        for future in waiting:
            assert future.result(30) is None

    assert sorted(host.get().topic for _ in waiting) == [f"{base}/{qos}" for qos in (0, 1, 2)]
    assert host.is_empty()


def test_many_publishes_while_offline_are_sent_in_order(
    offline_client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    host.subscribe(base)
    futures = [offline_client.publish_nowait(base, b"%d" % number, 1) for number in range(200)]

    simulator.restore_network()

    for future in futures:
        future.result(30)
    assert [int(host.get().payload) for _ in futures] == list(range(200))
    assert host.is_empty()


def test_full_queue_blocks_while_offline(offline_client: MqttClient, simulator: SimulatedModem) -> None:
    futures = [offline_client.publish_nowait("a/b") for _ in range(1000)]

    with ThreadPoolExecutor(1) as pool:
        blocked = pool.submit(offline_client.publish_nowait, "a/b")
        assert wait([blocked], timeout=0.2).not_done
        simulator.restore_network()
        futures.append(blocked.result(30))
    for future in futures:
        future.result(30)


def test_publish_timeout_while_offline_fails_as_not_sent(
    offline_client: MqttClient, simulator: SimulatedModem
) -> None:
    with pytest.raises(ConnectionLostError, match=r"was not sent.*NONET"):
        offline_client.publish("a/b", b"", 1, timeout=0.2)

    assert not any(line.startswith("AT+CMQTTTOPIC=") for line in simulator.received)


def test_publish_timeout_before_resend_has_unknown_outcome(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    host.subscribe(base)
    simulator.mute_next("CMQTTPUB", "result")
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(client.publish, base, b"", 1, timeout=1)
        host.get()
        simulator.lose_network()

        with pytest.raises(OutcomeUnknownError) as unknown:
            publishing.result(30)
    assert isinstance(unknown.value.__cause__, ConnectionLostError)
    with pytest.raises(OutcomeUnknownError):
        unknown.value.late.result(30)


def test_queued_publish_can_be_cancelled_while_offline(
    offline_client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    host.subscribe(base)
    first, second, third = [offline_client.publish_nowait(base, b"%d" % number, 1) for number in range(3)]

    assert second.cancel()
    assert second.cancelled()
    simulator.restore_network()

    assert first.result(30) is None
    assert third.result(30) is None
    assert [host.get().payload for _ in range(2)] == [b"0", b"2"]
    assert host.is_empty()


def test_publish_in_flight_cannot_be_cancelled_while_offline(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, events: RecordedEvents, base: str
) -> None:
    future = in_flight(client, simulator, host, base, 1)
    simulator.lose_network()
    events.wait_for("network lost")

    assert not future.cancel()

    simulator.restore_network()
    assert future.result(30) is None
    assert host.get().payload == b"in flight"


def test_subscribe_while_offline_waits_for_the_connection(
    offline_client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    called: Future[Message] = Future()
    with ThreadPoolExecutor(1) as pool:
        subscribing = pool.submit(offline_client.subscribe, f"{base}/#", 1, callback=called.set_result)
        assert wait([subscribing], timeout=0.2).not_done
        simulator.restore_network()
        subscribing.result(30)

    host.publish(f"{base}/down", b"", 1)
    assert called.result(30) == Message(f"{base}/down", b"")


def test_unsubscribe_while_offline_waits_for_the_connection(
    modem: SimcomMqtt,
    client: MqttClient,
    simulator: SimulatedModem,
    events: RecordedEvents,
    base: str,
) -> None:
    client.subscribe(f"{base}/a", 1)
    client.subscribe(f"{base}/b", 1)
    simulator.lose_network()
    events.wait_for("network lost")

    with ThreadPoolExecutor(1) as pool:
        unsubscribing = pool.submit(client.unsubscribe, f"{base}/a")
        assert wait([unsubscribing], timeout=0.2).not_done
        simulator.restore_network()
        unsubscribing.result(30)

    assert modem.subscribed_topics() == [f"{base}/b".encode()]
    simulator.drop_connection(0)
    events.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)
    events.wait_for("reconnected", 0)
    assert modem.subscribed_topics() == [f"{base}/b".encode()]


def test_refused_subscription_is_not_restored(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    events = RecordedEvents(modem)
    with ScriptedBroker(suback=0x80) as broker:
        client = modem.connect(broker.url, reconnect=FAST)
        with pytest.raises(MqttError):
            client.subscribe("a/b", 1)
        broker.close_connections()
        events.wait_for("reconnected", 0)

        assert sum(line.startswith("AT+CMQTTSUB=") for line in simulator.received) == 1
        client.disconnect()


@pytest.mark.parametrize("code", [None, 11, 6])
def test_publish_is_retried_after_a_refusal_while_connected(
    client: MqttClient,
    simulator: SimulatedModem,
    host: HostClient,
    events: RecordedEvents,
    base: str,
    code: int | None,
) -> None:
    """A query shows that the client is still connected."""
    host.subscribe(base)
    simulator.fail_next("CMQTTPUB", code)

    client.publish(base, b"all the same", 1, timeout=8)

    assert host.get().payload == b"all the same"
    assert events.names(simulator) == []


def test_repeated_refusal_fails_the_publish(client: MqttClient, simulator: SimulatedModem) -> None:
    for _ in range(10):
        simulator.fail_next("CMQTTPUB", None)

    with pytest.raises(MqttError, match="ERROR"):
        client.publish("a/b", b"", 1, timeout=8)


def test_refusal_with_another_code_fails_at_once(client: MqttClient, simulator: SimulatedModem) -> None:
    simulator.fail_next("CMQTTPUB", 17)

    with pytest.raises(MqttError) as refused:
        client.publish("a/b", b"", 1, timeout=8)

    assert refused.value.code == 17


def test_first_publish_while_the_port_is_lost_waits(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    """The payload limit cannot be queried while the port is lost."""
    host.subscribe(base)
    with LogRecords() as log:
        simulator.unplug()
        log.wait_for("port is gone")
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(client.publish, base, b"long", 1, timeout=8)
        assert wait([publishing], timeout=0.2).not_done
        simulator.plug()
        publishing.result(30)

    assert host.get().payload == b"long"


def test_result_after_the_loss_completes_the_waiting_publish(
    modem: SimcomMqtt, simulator: SimulatedModem
) -> None:
    """The result of the first attempt arrives after the loss and still counts."""
    events = RecordedEvents(modem)
    with ScriptedBroker() as broker:
        client = modem.connect(broker.url, reconnect=FAST)
        simulator.delay_next("CMQTTPUB", 0.4, "result")
        future = client.publish_nowait("a/b", b"", 1)
        broker.wait_for(PUBLISH)
        broker.connack = 3
        simulator.urc("+CMQTTCONNLOST: 0,1")
        events.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)

        assert future.result(30) is None
        broker.connack = 0
        client.disconnect()
