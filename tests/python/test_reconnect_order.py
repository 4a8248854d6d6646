"""Order of queued publishes while the driver checks if the connection still exists."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait

import pytest

from host_client import HostClient
from recorded_events import LogRecords, RecordedEvents
from simcom_mqtt import ClosedError, CommandTimeoutError, MqttClient, MqttError, Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

FAST = Reconnect(min_delay=0.05, max_delay=0.2)
LONG_DELAY = Reconnect(min_delay=60, max_delay=60)
NUMBERS = range(8)

Fault = Callable[[SimulatedModem], None]

FAULTS: dict[str, Fault] = {
    "topic without prompt": lambda module: module.mute_next("CMQTTTOPIC", "prompt"),
    "topic without OK": lambda module: module.mute_next("CMQTTTOPIC", "ok"),
    "payload without prompt": lambda module: module.mute_next("CMQTTPAYLOAD", "prompt"),
    "payload without OK": lambda module: module.mute_next("CMQTTPAYLOAD", "ok"),
    "topic refused with 11": lambda module: module.fail_next("CMQTTTOPIC", 11),
    "topic refused": lambda module: module.fail_next("CMQTTTOPIC", None),
    "payload refused": lambda module: module.fail_next("CMQTTPAYLOAD", None),
    "publish refused with 6": lambda module: module.fail_next("CMQTTPUB", 6),
    "publish refused with 11": lambda module: module.fail_next("CMQTTPUB", 11),
    "publish refused": lambda module: module.fail_next("CMQTTPUB", None),
}


@pytest.fixture
def modem(simulator: SimulatedModem) -> Iterator[SimcomMqtt]:
    """A driver with a short command timeout."""
    with SimcomMqtt(simulator.port, command_timeout=0.5) as driver:
        yield driver


@pytest.fixture
def client(modem: SimcomMqtt, broker_url: str, host: HostClient, base: str) -> MqttClient:
    host.subscribe(base)
    return modem.connect(broker_url, reconnect=FAST)


@pytest.fixture
def suspect(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> tuple[MqttClient, list[Future[None]]]:
    """A client whose connection is not checked for a minute, and the publishes that wait meanwhile."""
    host.subscribe(base)
    client = modem.connect(broker_url, reconnect=LONG_DELAY)
    simulator.fail_next("CMQTTACCQ?", None)
    simulator.fail_next("CMQTTPUB", 11)
    with LogRecords() as log:
        futures = publish_all(client, base)
        log.wait_for("client 0 could not reconnect")
    return client, futures


def publish_all(client: MqttClient, topic: str) -> list[Future[None]]:
    return [client.publish_nowait(topic, b"%d" % number, 1) for number in NUMBERS]


def received_numbers(host: HostClient, count: int = len(NUMBERS)) -> list[int]:
    return [int(host.get().payload) for _ in range(count)]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_failed_first_publish_keeps_order_of_those_behind_it(
    modem: SimcomMqtt,
    client: MqttClient,
    simulator: SimulatedModem,
    host: HostClient,
    base: str,
    fault: Fault,
) -> None:
    events = RecordedEvents(modem)
    fault(simulator)

    futures = publish_all(client, base)

    for future in futures:
        assert future.result(30) is None
    assert received_numbers(host) == list(NUMBERS)
    assert host.is_empty()
    assert events.names(simulator) == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_failed_publish_keeps_order_of_those_behind_it(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str, fault: Fault
) -> None:
    """The result of the first publish is delayed until the fault is armed for the second."""
    simulator.delay_next("CMQTTPUB", 0.3, "result")
    futures = publish_all(client, base)
    assert int(host.get().payload) == 0
    fault(simulator)

    for future in futures:
        assert future.result(30) is None
    assert received_numbers(host, len(NUMBERS) - 1) == list(NUMBERS[1:])
    assert host.is_empty()


def test_successive_failures_keep_order(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    for fault in ("topic refused", "publish refused with 6", "publish refused with 11"):
        FAULTS[fault](simulator)

    for future in publish_all(client, base):
        assert future.result(30) is None
    assert received_numbers(host) == list(NUMBERS)
    assert host.is_empty()


@pytest.mark.parametrize("code", [17, None])
def test_publishes_behind_a_failed_one_are_sent(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str, code: int | None
) -> None:
    """Code 17 is final; a bare ERROR is final after the last retry."""
    for _ in range(1 if code else 4):
        simulator.fail_next("CMQTTPUB", code)

    first, *others = publish_all(client, base)

    with pytest.raises(MqttError) as refused:
        first.result(30)
    assert refused.value.code == code
    for future in others:
        assert future.result(30) is None
    assert received_numbers(host, len(others)) == list(NUMBERS[1:])


@pytest.mark.parametrize("qos", [0, 2])
def test_publish_that_must_not_be_resent_fails_and_others_keep_order(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str, qos: int
) -> None:
    """The module has the message, so QoS 0 and 2 are not sent again."""
    simulator.fail_next("CMQTTPUB", 6)
    first = client.publish_nowait(base, b"first", qos)  # type: ignore[arg-type]
    futures = publish_all(client, base)

    with pytest.raises(MqttError) as refused:
        first.result(30)
    assert refused.value.code == 6
    for future in futures:
        assert future.result(30) is None
    assert received_numbers(host) == list(NUMBERS)
    assert host.is_empty()


def test_loss_during_the_check_keeps_order(
    modem: SimcomMqtt, client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    """The loss is reported while the driver queries the module."""
    events = RecordedEvents(modem)
    simulator.fail_next("CMQTTPUB", 11)
    simulator.delay_next("CMQTTACCQ?", 0.3, "ok")

    futures = publish_all(client, base)
    simulator.drop_connection(0)

    for future in futures:
        assert future.result(30) is None
    events.wait_for("reconnected", 0)
    # QoS 1 may arrive twice, but the order is kept.
    numbers = [int(host.get().payload)]
    while numbers[-1] != NUMBERS[-1]:
        numbers.append(int(host.get().payload))
    assert list(dict.fromkeys(numbers)) == list(NUMBERS)


def test_publish_timeout_starts_with_its_turn(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    """The check takes longer than the timeout of each publish."""
    host.subscribe(base)
    client = modem.connect(broker_url, reconnect=Reconnect(min_delay=2.5, max_delay=2.5))
    simulator.fail_next("CMQTTACCQ?", None)
    simulator.fail_next("CMQTTPUB", 11)

    futures = [client.publish_nowait(base, b"%d" % number, 1, timeout=2) for number in NUMBERS]

    for future in futures:
        assert future.result(30) is None
    assert received_numbers(host) == list(NUMBERS)


def test_queued_publish_can_be_cancelled_during_the_check(
    suspect: tuple[MqttClient, list[Future[None]]], host: HostClient
) -> None:
    client, futures = suspect

    assert futures[3].cancel()
    assert futures[0].cancel()

    client.disconnect()
    going = [futures[number] for number in NUMBERS if number not in (0, 3)]
    assert wait(going, timeout=30).not_done == set()
    assert [future.exception(0) for future in going] == [None] * len(going)
    assert received_numbers(host, len(going)) == [1, 2, 4, 5, 6, 7]


def test_exit_of_block_sends_queued_publishes_first(
    suspect: tuple[MqttClient, list[Future[None]]], host: HostClient
) -> None:
    """The connection exists, so the queued publishes are sent before the disconnect."""
    client, futures = suspect

    with client:
        pass

    for future in futures:
        assert future.result(30) is None
    assert received_numbers(host) == list(NUMBERS)
    assert host.is_empty()


def test_close_during_the_check_ends_queued_publishes(
    suspect: tuple[MqttClient, list[Future[None]]], modem: SimcomMqtt
) -> None:
    _, futures = suspect

    modem.close()

    for future in futures:
        with pytest.raises(ClosedError):
            future.result(30)


def test_queued_publishes_fail_when_the_check_never_succeeds(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    host.subscribe(base)
    client = modem.connect(broker_url, reconnect=Reconnect(min_delay=0.05, max_delay=0.1, give_up_after=0.5))
    for _ in range(50):
        simulator.fail_next("CMQTTACCQ?", None)
    simulator.fail_next("CMQTTPUB", 11)

    first, *others = publish_all(client, base)

    with pytest.raises(MqttError) as refused:
        first.result(30)
    assert refused.value.code == 11
    for future in others:
        with pytest.raises(CommandTimeoutError, match="nothing of it was written"):
            future.result(30)
    assert host.is_empty()
