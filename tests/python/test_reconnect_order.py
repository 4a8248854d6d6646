"""What was queued behind a publish that made the driver doubt the connection: nothing overtakes it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait

import pytest

from happenings import Happenings, LogRecords
from host_client import HostClient
from simcom_mqtt import ClosedError, CommandTimeoutError, MqttClient, MqttError, Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

FAST = Reconnect(min_delay=0.05, max_delay=0.2)
UNHURRIED = Reconnect(min_delay=60, max_delay=60)
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
    """A driver that soon gives up waiting for an answer."""
    with SimcomMqtt(simulator.port, command_timeout=0.5) as driver:
        yield driver


@pytest.fixture
def client(modem: SimcomMqtt, broker_url: str, host: HostClient, base: str) -> MqttClient:
    host.subscribe(base)
    return modem.connect(broker_url, reconnect=FAST)


@pytest.fixture
def doubted(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> tuple[MqttClient, list[Future[None]]]:
    """A client that is not asked after for a minute, and what waits meanwhile."""
    host.subscribe(base)
    client = modem.connect(broker_url, reconnect=UNHURRIED)
    simulator.fail_next("CMQTTACCQ?", None)
    simulator.fail_next("CMQTTPUB", 11)
    with LogRecords() as log:
        futures = queue(client, base)
        log.wait_for("client 0 is not back yet")
    return client, futures


def queue(client: MqttClient, topic: str) -> list[Future[None]]:
    return [client.publish_nowait(topic, b"%d" % number, 1) for number in NUMBERS]


def received(host: HostClient, count: int = len(NUMBERS)) -> list[int]:
    return [int(host.get().payload) for _ in range(count)]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_nothing_overtakes_a_doubted_one(
    modem: SimcomMqtt,
    client: MqttClient,
    simulator: SimulatedModem,
    host: HostClient,
    base: str,
    fault: Fault,
) -> None:
    happenings = Happenings(modem)
    fault(simulator)

    futures = queue(client, base)

    for future in futures:
        assert future.result(30) is None
    assert received(host) == list(NUMBERS)
    assert host.is_empty()
    assert happenings.names(simulator) == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_nor_one_in_the_middle(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str, fault: Fault
) -> None:
    """The first waits for its result until the fault is armed for the one behind it."""
    simulator.delay_next("CMQTTPUB", 0.3, "result")
    futures = queue(client, base)
    assert int(host.get().payload) == 0
    fault(simulator)

    for future in futures:
        assert future.result(30) is None
    assert received(host, len(NUMBERS) - 1) == list(NUMBERS[1:])
    assert host.is_empty()


def test_one_doubt_after_another(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    for fault in ("topic refused", "publish refused with 6", "publish refused with 11"):
        FAULTS[fault](simulator)

    for future in queue(client, base):
        assert future.result(30) is None
    assert received(host) == list(NUMBERS)
    assert host.is_empty()


@pytest.mark.parametrize("code", [17, None])
def test_those_behind_one_that_failed_go_out(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str, code: int | None
) -> None:
    """With a refusal that means no doubt, or with one more than is tried."""
    for _ in range(1 if code else 4):
        simulator.fail_next("CMQTTPUB", code)

    first, *others = queue(client, base)

    with pytest.raises(MqttError) as refused:
        first.result(30)
    assert refused.value.code == code
    for future in others:
        assert future.result(30) is None
    assert received(host, len(others)) == list(NUMBERS[1:])


@pytest.mark.parametrize("qos", [0, 2])
def test_one_that_must_not_go_out_again_is_over(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str, qos: int
) -> None:
    """It was handed over before the module said that the connection broke; those behind keep their order."""
    simulator.fail_next("CMQTTPUB", 6)
    over = client.publish_nowait(base, b"over", qos)  # type: ignore[arg-type]
    futures = queue(client, base)

    with pytest.raises(MqttError) as refused:
        over.result(30)
    assert refused.value.code == 6
    for future in futures:
        assert future.result(30) is None
    assert received(host) == list(NUMBERS)
    assert host.is_empty()


def test_a_connection_that_is_gone_indeed(
    modem: SimcomMqtt, client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    """The loss is told of while the module is asked."""
    happenings = Happenings(modem)
    simulator.fail_next("CMQTTPUB", 11)
    simulator.delay_next("CMQTTACCQ?", 0.3, "ok")

    futures = queue(client, base)
    simulator.drop_connection(0)

    for future in futures:
        assert future.result(30) is None
    happenings.wait_for("reconnected", 0)
    # QoS 1 may come twice, but nothing overtakes.
    numbers = [int(host.get().payload)]
    while numbers[-1] != NUMBERS[-1]:
        numbers.append(int(host.get().payload))
    assert list(dict.fromkeys(numbers)) == list(NUMBERS)


def test_a_time_out_runs_from_its_turn_on(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    """All wait longer for the doubt to end than they may take."""
    host.subscribe(base)
    client = modem.connect(broker_url, reconnect=Reconnect(min_delay=2.5, max_delay=2.5))
    simulator.fail_next("CMQTTACCQ?", None)
    simulator.fail_next("CMQTTPUB", 11)

    futures = [client.publish_nowait(base, b"%d" % number, 1, timeout=2) for number in NUMBERS]

    for future in futures:
        assert future.result(30) is None
    assert received(host) == list(NUMBERS)


def test_cancelled_in_doubt(doubted: tuple[MqttClient, list[Future[None]]], host: HostClient) -> None:
    client, futures = doubted

    assert futures[3].cancel()
    assert futures[0].cancel()

    client.disconnect()
    going = [futures[number] for number in NUMBERS if number not in (0, 3)]
    assert wait(going, timeout=30).not_done == set()
    assert [future.exception(0) for future in going] == [None] * len(going)
    assert received(host, len(going)) == [1, 2, 4, 5, 6, 7]


def test_leaving_in_doubt(doubted: tuple[MqttClient, list[Future[None]]], host: HostClient) -> None:
    """The module has the connection: what waits goes out before it is left."""
    client, futures = doubted

    with client:
        pass

    for future in futures:
        assert future.result(30) is None
    assert received(host) == list(NUMBERS)
    assert host.is_empty()


def test_closing_in_doubt(doubted: tuple[MqttClient, list[Future[None]]], modem: SimcomMqtt) -> None:
    _, futures = doubted

    modem.close()

    for future in futures:
        with pytest.raises(ClosedError):
            future.result(30)


def test_giving_up_in_doubt(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    host.subscribe(base)
    client = modem.connect(broker_url, reconnect=Reconnect(min_delay=0.05, max_delay=0.1, give_up_after=0.5))
    for _ in range(50):
        simulator.fail_next("CMQTTACCQ?", None)
    simulator.fail_next("CMQTTPUB", 11)

    first, *others = queue(client, base)

    with pytest.raises(MqttError) as refused:
        first.result(30)
    assert refused.value.code == 11
    for future in others:
        with pytest.raises(CommandTimeoutError, match="nothing of it was written"):
            future.result(30)
    assert host.is_empty()
