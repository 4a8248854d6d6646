"""What was to be published while the connection was away, and what was in flight when it went."""

from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from happenings import Happenings, LogRecords
from host_client import HostClient
from mosquitto_broker import MosquittoBroker
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
def happenings(modem: SimcomMqtt) -> Happenings:
    return Happenings(modem)


@pytest.fixture
def client(modem: SimcomMqtt, broker_url: str, happenings: Happenings) -> MqttClient:
    return modem.connect(broker_url, client_id="publisher", reconnect=FAST)


@pytest.fixture
def away(simulator: SimulatedModem, client: MqttClient, happenings: Happenings) -> MqttClient:
    """A client whose network is gone until `restore_network`."""
    simulator.lose_network()
    happenings.wait_for("network lost")
    return client


def in_flight(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, topic: str, qos: QoS
) -> Future[None]:
    """A publish that the broker has, and whose result is lost on the line."""
    host.subscribe(topic)
    simulator.mute_next("CMQTTPUB", "result")
    future = client.publish_nowait(topic, b"in flight", qos)
    assert host.get().payload == b"in flight"
    return future


def test_qos_1_in_flight_goes_out_again_with_dup(
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


def test_qos_1_that_the_broker_never_acknowledged(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    """The module says 6, message receive fail, before it tells of the loss."""
    with ScriptedBroker(silent_on=PUBLISH) as broker:
        client = modem.connect(broker.url, reconnect=FAST)
        future = client.publish_nowait("a/b", b"kept", 1, retain=True)
        assert not broker.wait_for(PUBLISH).flags & DUP

        broker.silent_on = None
        broker.close_connections()

        again = broker.wait_for(PUBLISH)
        assert (again.flags & DUP, again.payload) == (DUP, b"kept")
        assert future.result(30) is None
        assert simulator.received[-1] == "AT+CMQTTPUB=0,1,60,1,1"
        client.disconnect()


@pytest.mark.parametrize("qos", [0, 2])
def test_qos_0_and_2_in_flight_are_unknown(
    client: MqttClient,
    simulator: SimulatedModem,
    host: HostClient,
    happenings: Happenings,
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
    happenings.wait_for("reconnected", 0)
    client.publish(base, b"after it")
    assert host.get().payload == b"after it"


def test_qos_2_in_flight_if_it_may_be_duplicated(
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


def test_what_waits_behind_one_in_flight_goes_out_in_order(
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


def test_one_that_was_being_entered_stays_the_first(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, happenings: Happenings, base: str
) -> None:
    host.subscribe(base)
    simulator.delay_next("CMQTTPAYLOAD", 0.3, "ok")

    futures = [client.publish_nowait(base, b"%d" % number, 1) for number in range(5)]
    simulator.drop_connection(0)

    for future in futures:
        assert future.result(30) is None
    assert [int(host.get().payload) for _ in futures] == list(range(5))
    assert host.is_empty()
    happenings.wait_for("reconnected", 0)


def test_lost_again_before_all_of_it_went_out(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, happenings: Happenings, base: str
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
    # QoS 1 may come twice, but nothing overtakes.
    first_seen = list(dict.fromkeys(seen))
    assert first_seen == [b"%03d" % number for number in range(300)]
    assert len(seen) <= len(futures) + 3


def test_publishing_while_away(
    away: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    host.subscribe(f"{base}/#")
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(away.publish, f"{base}/{qos}", b"", qos, timeout=8) for qos in (0, 1, 2)]
        assert wait(waiting, timeout=0.2).not_done == set(waiting)
        simulator.restore_network()
        for future in waiting:
            assert future.result(30) is None

    assert sorted(host.get().topic for _ in waiting) == [f"{base}/{qos}" for qos in (0, 1, 2)]
    assert host.is_empty()


def test_many_while_away(away: MqttClient, simulator: SimulatedModem, host: HostClient, base: str) -> None:
    host.subscribe(base)
    futures = [away.publish_nowait(base, b"%d" % number, 1) for number in range(200)]

    simulator.restore_network()

    for future in futures:
        future.result(30)
    assert [int(host.get().payload) for _ in futures] == list(range(200))
    assert host.is_empty()


def test_a_full_queue_blocks_while_away(away: MqttClient, simulator: SimulatedModem) -> None:
    futures = [away.publish_nowait("a/b") for _ in range(1000)]

    with ThreadPoolExecutor(1) as pool:
        blocked = pool.submit(away.publish_nowait, "a/b")
        assert wait([blocked], timeout=0.2).not_done
        simulator.restore_network()
        futures.append(blocked.result(30))
    for future in futures:
        future.result(30)


def test_the_time_is_over_before_the_connection_is_back(away: MqttClient, simulator: SimulatedModem) -> None:
    with pytest.raises(ConnectionLostError, match=r"was not sent.*NONET"):
        away.publish("a/b", b"", 1, timeout=0.2)

    assert not any(line.startswith("AT+CMQTTTOPIC=") for line in simulator.received)


def test_the_time_is_over_before_it_went_out_again(
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


def test_cancelled_while_away(
    away: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    host.subscribe(base)
    first, second, third = [away.publish_nowait(base, b"%d" % number, 1) for number in range(3)]

    assert second.cancel()
    assert second.cancelled()
    simulator.restore_network()

    assert first.result(30) is None
    assert third.result(30) is None
    assert [host.get().payload for _ in range(2)] == [b"0", b"2"]
    assert host.is_empty()


def test_one_in_flight_cannot_be_cancelled(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, happenings: Happenings, base: str
) -> None:
    future = in_flight(client, simulator, host, base, 1)
    simulator.lose_network()
    happenings.wait_for("network lost")

    assert not future.cancel()

    simulator.restore_network()
    assert future.result(30) is None
    assert host.get().payload == b"in flight"


def test_subscribing_while_away(
    away: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    called: Future[Message] = Future()
    with ThreadPoolExecutor(1) as pool:
        subscribing = pool.submit(away.subscribe, f"{base}/#", 1, callback=called.set_result)
        assert wait([subscribing], timeout=0.2).not_done
        simulator.restore_network()
        subscribing.result(30)

    host.publish(f"{base}/down", b"", 1)
    assert called.result(30) == Message(f"{base}/down", b"")


def test_unsubscribing_while_away(
    modem: SimcomMqtt,
    client: MqttClient,
    simulator: SimulatedModem,
    happenings: Happenings,
    base: str,
) -> None:
    client.subscribe(f"{base}/a", 1)
    client.subscribe(f"{base}/b", 1)
    simulator.lose_network()
    happenings.wait_for("network lost")

    with ThreadPoolExecutor(1) as pool:
        unsubscribing = pool.submit(client.unsubscribe, f"{base}/a")
        assert wait([unsubscribing], timeout=0.2).not_done
        simulator.restore_network()
        unsubscribing.result(30)

    assert modem.subscribed_topics() == [f"{base}/b".encode()]
    simulator.drop_connection(0)
    happenings.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)
    happenings.wait_for("reconnected", 0)
    assert modem.subscribed_topics() == [f"{base}/b".encode()]


def test_a_refused_subscription_is_not_remembered(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    happenings = Happenings(modem)
    with ScriptedBroker(suback=0x80) as broker:
        client = modem.connect(broker.url, reconnect=FAST)
        with pytest.raises(MqttError):
            client.subscribe("a/b", 1)
        broker.close_connections()
        happenings.wait_for("reconnected", 0)

        assert sum(line.startswith("AT+CMQTTSUB=") for line in simulator.received) == 1
        client.disconnect()


@pytest.mark.parametrize("code", [None, 11, 6])
def test_a_refusal_that_means_nothing(
    client: MqttClient,
    simulator: SimulatedModem,
    host: HostClient,
    happenings: Happenings,
    base: str,
    code: int | None,
) -> None:
    """The module is asked whether the client is still there, and it is."""
    host.subscribe(base)
    simulator.fail_next("CMQTTPUB", code)

    client.publish(base, b"all the same", 1, timeout=8)

    assert host.get().payload == b"all the same"
    assert happenings.names(simulator) == []


def test_a_refusal_that_stays(client: MqttClient, simulator: SimulatedModem) -> None:
    for _ in range(10):
        simulator.fail_next("CMQTTPUB", None)

    with pytest.raises(MqttError, match="ERROR"):
        client.publish("a/b", b"", 1, timeout=8)


def test_another_refusal_is_told_at_once(client: MqttClient, simulator: SimulatedModem) -> None:
    simulator.fail_next("CMQTTPUB", 17)

    with pytest.raises(MqttError) as refused:
        client.publish("a/b", b"", 1, timeout=8)

    assert refused.value.code == 17


def test_a_first_publish_with_a_payload_while_the_port_is_away(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    """How long a payload may be cannot be asked then."""
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


def test_acknowledged_while_it_waited_to_go_out_again(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    """The result of the first attempt comes after the loss: it was the publish's own."""
    happenings = Happenings(modem)
    with ScriptedBroker() as broker:
        client = modem.connect(broker.url, reconnect=FAST)
        simulator.delay_next("CMQTTPUB", 0.4, "result")
        future = client.publish_nowait("a/b", b"", 1)
        broker.wait_for(PUBLISH)
        broker.connack = 3
        simulator.urc("+CMQTTCONNLOST: 0,1")
        happenings.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)

        assert future.result(30) is None
        broker.connack = 0
        client.disconnect()
