"""Outcomes of a publish: done, failed with a code, or unknown with a deferred result."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from host_client import HostClient
from recorded_events import RecordedEvents
from scripted_broker import PUBLISH, ScriptedBroker
from simcom_mqtt import (
    ClosedError,
    CommandTimeoutError,
    LossCause,
    MqttClient,
    MqttError,
    OutcomeUnknownError,
    ResultCode,
    SimcomMqtt,
)
from simcom_mqtt.simulator import SimulatedModem
from simcom_mqtt.types import QoS

each_qos = pytest.mark.parametrize("qos", [0, 1, 2])


@pytest.fixture
def client(modem: SimcomMqtt, broker_url: str) -> MqttClient:
    return modem.connect(broker_url)


def unknown(client: MqttClient, topic: str, qos: QoS = 1, timeout: float = 0.2) -> OutcomeUnknownError:
    with pytest.raises(OutcomeUnknownError, match="no result came in time") as error:
        client.publish(topic, b"unknown", qos, timeout=timeout)
    assert type(error.value.__cause__) is CommandTimeoutError
    return error.value


@each_qos
def test_publish_arrives(client: MqttClient, host: HostClient, base: str, qos: QoS) -> None:
    host.subscribe(base)

    client.publish(base, b"done", qos)

    assert host.get().payload == b"done"


@each_qos
def test_failed_publish_raises_its_code(client: MqttClient, simulator: SimulatedModem, qos: QoS) -> None:
    simulator.fail_next("CMQTTPUB", 17)

    with pytest.raises(MqttError) as failed:
        client.publish("a/b", b"", qos)

    assert failed.value.code is ResultCode.TIMEOUT


@each_qos
def test_unknown_publish_is_done_later(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, modem: SimcomMqtt, base: str, qos: QoS
) -> None:
    host.subscribe(base)
    simulator.delay_next("CMQTTPUB", 0.5, "result")

    error = unknown(client, base, qos)

    assert not error.late.done()
    assert error.late.result(3) is None
    assert host.get().payload == b"unknown"
    assert modem.stats.late_results == 1


def test_unknown_publish_fails_later(client: MqttClient, simulator: SimulatedModem) -> None:
    simulator.fail_next("CMQTTPUB", 6)
    simulator.delay_next("CMQTTPUB", 0.5, "result")

    error = unknown(client, "a/b")

    with pytest.raises(MqttError) as failed:
        error.late.result(3)
    assert failed.value.code is ResultCode.MESSAGE_RECEIVE_FAIL


def test_unknown_publish_nowait_is_done_later(client: MqttClient, simulator: SimulatedModem) -> None:
    simulator.delay_next("CMQTTPUB", 0.5, "result")
    future = client.publish_nowait("a/b", b"", 1, timeout=0.2)

    with pytest.raises(OutcomeUnknownError) as error:
        future.result(3)

    assert error.value.late.result(3) is None


def test_publish_without_ok_is_unknown_and_done_later(simulator: SimulatedModem, broker_url: str) -> None:
    with SimcomMqtt(simulator.port, command_timeout=0.5) as modem:
        client = modem.connect(broker_url)
        simulator.mute_next("CMQTTPUB", "ok")
        simulator.delay_next("CMQTTPUB", 1, "result")

        error = unknown(client, "a/b", timeout=5)

        assert error.late.result(3) is None
        client.publish("a/b", b"", 1)


def test_next_accepted_publish_ends_the_deferred_result(
    client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    host.subscribe(base)
    simulator.mute_next("CMQTTPUB", "result")
    error = unknown(client, base)
    assert not error.late.done()

    client.publish(base, b"next", 1)

    with pytest.raises(OutcomeUnknownError):
        error.late.result(3)
    assert [host.get().payload for _ in range(2)] == [b"unknown", b"next"]


def test_lost_result_does_not_shift_later_results(client: MqttClient, simulator: SimulatedModem) -> None:
    simulator.mute_next("CMQTTPUB", "result")
    unknown(client, "a/b")

    for code in (None, 6, None, 17, None):
        if code is None:
            client.publish("a/b", b"", 1)
            continue
        simulator.fail_next("CMQTTPUB", code)
        with pytest.raises(MqttError) as failed:
            client.publish("a/b", b"", 1)
        assert failed.value.code == code


def test_late_result_is_not_given_to_the_next_publish(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    """The module is busy until the broker has acknowledged the first publish: the next one waits."""
    with ScriptedBroker(silent_on=PUBLISH) as broker, ThreadPoolExecutor(1) as pool:
        client = modem.connect(broker.url)
        error = unknown(client, "a/1")
        broker.wait_for(PUBLISH)
        next_one = pool.submit(client.publish, "a/2", b"", 1, timeout=8)
        assert wait([next_one], timeout=0.3).not_done

        broker.speak_again()

        assert error.late.result(3) is None
        assert next_one.result(30) is None
        assert broker.wait_for(PUBLISH).topic == b"a/2"
        client.disconnect()


def test_late_failure_is_not_given_to_the_next_publish(client: MqttClient, simulator: SimulatedModem) -> None:
    simulator.fail_next("CMQTTPUB", 6)
    simulator.delay_next("CMQTTPUB", 0.6, "result")
    error = unknown(client, "a/b")

    client.publish("a/b", b"", 1)

    with pytest.raises((MqttError, OutcomeUnknownError)):
        error.late.result(3)


@pytest.mark.parametrize(("command", "name"), [("CMQTTSUB", "subscribe"), ("CMQTTUNSUB", "unsubscribe")])
def test_late_failure_of_a_subscription_is_not_given_to_the_next(
    client: MqttClient, simulator: SimulatedModem, modem: SimcomMqtt, command: str, name: str
) -> None:
    change: Callable[..., None] = getattr(client, name)
    client.subscribe("a/b")
    simulator.fail_next(command, 6)
    simulator.delay_next(command, 0.6, "result")
    with pytest.raises(CommandTimeoutError):
        change("a/b", timeout=0.2)

    change("a/b", timeout=5)

    assert modem.subscribed_topics() == ([b"a/b"] if name == "subscribe" else [])


def test_late_connect_result_is_not_given_to_the_next(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    modem.start()
    client = modem.acquire("late")
    simulator.fail_next("CMQTTCONNECT", 3)
    simulator.delay_next("CMQTTCONNECT", 0.6, "result")
    with pytest.raises(CommandTimeoutError):
        client.connect(broker_url, timeout=0.2)
    assert not client.is_connected()

    client.connect(broker_url, timeout=5)

    assert client.is_connected()
    client.publish("a/b", b"", 1)


def test_late_successful_connect_is_noticed(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    modem.start()
    client = modem.acquire("late")
    simulator.delay_next("CMQTTCONNECT", 0.5, "result")
    with pytest.raises(CommandTimeoutError):
        client.connect(broker_url, timeout=0.2)

    while not client.is_connected():
        modem.command("AT")
    client.publish("a/b", b"", 1)


Ending = Callable[[SimcomMqtt, SimulatedModem], object]
ENDINGS: dict[str, Ending] = {
    "close": lambda modem, _simulator: modem.close(),
    "reboot": lambda _modem, simulator: simulator.reboot(),
    "unplugged": lambda _modem, simulator: simulator.unplug(),
    "connection lost": lambda _modem, simulator: simulator.drop_connection(0),
    "network lost": lambda _modem, simulator: simulator.lose_network(),
    "disconnect": lambda modem, _simulator: modem.clients()[0].disconnect(),
}


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
def test_deferred_result_ends_with_the_connection(
    modem: SimcomMqtt, client: MqttClient, simulator: SimulatedModem, end: Ending
) -> None:
    simulator.mute_next("CMQTTPUB", "result")
    late = unknown(client, "a/b").late
    assert not late.done()

    end(modem, simulator)

    with pytest.raises((OutcomeUnknownError, ClosedError)):
        late.result(4)


def test_close_ends_every_publish(
    modem: SimcomMqtt, client: MqttClient, simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    host.subscribe(base)
    simulator.mute_next("CMQTTPUB", "result")
    futures = [client.publish_nowait(base, b"%d" % number, number % 3) for number in range(300)]  # type: ignore[arg-type]
    host.get()

    modem.close()

    assert not wait(futures, timeout=3).not_done
    with pytest.raises(OutcomeUnknownError, match="the port was closed") as error:
        futures[0].result()
    assert type(error.value.__cause__) is ClosedError
    with pytest.raises((OutcomeUnknownError, ClosedError)):
        error.value.late.result(3)
    for future in futures[1:]:
        assert type(future.exception()) is ClosedError


def test_publish_failed_by_the_module_before_the_loss_has_its_code(
    modem: SimcomMqtt, simulator: SimulatedModem
) -> None:
    """The module sends the result before the loss, so the outcome is that code."""
    events = RecordedEvents(modem)
    with ScriptedBroker(closes_on=PUBLISH) as broker:
        client = modem.connect(broker.url)
        with pytest.raises(MqttError) as failed:
            client.publish("a/b", b"", 1)
        events.wait_for("connection lost", 0, LossCause.CLOSED_PASSIVELY)

    assert failed.value.code is ResultCode.MESSAGE_RECEIVE_FAIL
