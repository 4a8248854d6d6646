"""Futures of publish_nowait: order, cancellation, and an end in every case."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed, wait

import pytest

from host_client import HostClient
from scripted_broker import PUBLISH, ScriptedBroker
from simcom_mqtt import (
    ClosedError,
    CommandTimeoutError,
    ConnectionLostError,
    MqttClient,
    MqttError,
    OutcomeUnknownError,
    SimcomMqtt,
)
from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture
def client(modem: SimcomMqtt, broker_url: str) -> MqttClient:
    return modem.connect(broker_url)


@pytest.fixture
def silent_broker() -> Iterator[ScriptedBroker]:
    """A broker that acknowledges no publish until `speak_again()`."""
    with ScriptedBroker(silent_on=PUBLISH) as broker:
        yield broker


def test_publishes_of_each_client_stay_in_order(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    clients = [modem.connect(broker_url), modem.connect(broker_url)]
    host.subscribe(f"{base}/#")

    futures = [
        client.publish_nowait(f"{base}/{client.index}", b"%d" % number, 1)
        for number in range(50)
        for client in clients
    ]
    done, pending = wait(futures, timeout=8)
    assert (len(done), len(pending)) == (100, 0)

    received = [host.get() for _ in futures]
    for client in clients:
        mine = [bytes(message.payload) for message in received if message.topic == f"{base}/{client.index}"]
        assert mine == [b"%d" % number for number in range(50)]


def test_publish_cancelled_while_queued_is_never_sent(
    modem: SimcomMqtt, silent_broker: ScriptedBroker
) -> None:
    client = modem.connect(silent_broker.url)
    first = client.publish_nowait("a/first", b"", 1)
    silent_broker.wait_for(PUBLISH)
    queued = [client.publish_nowait(f"a/{number}", b"", 1) for number in range(6)]

    called: list[Future[None]] = []
    for future in queued[::2]:
        future.add_done_callback(called.append)
        assert future.cancel()
        assert future.cancel()
        assert future.cancelled()
        with pytest.raises(CancelledError):
            future.result(0)
    assert set(called) == set(queued[::2])

    silent_broker.speak_again()
    for future in [first, *queued[1::2]]:
        assert future.result(30) is None
        assert not future.cancel()
    assert wait(queued, timeout=30).not_done == set()
    client.publish("a/last", b"", 1)
    sent = [silent_broker.wait_for(PUBLISH).topic for _ in range(4)]
    assert sent == [b"a/1", b"a/3", b"a/5", b"a/last"]
    client.disconnect()


def test_publishes_can_be_cancelled_from_many_threads(
    modem: SimcomMqtt, silent_broker: ScriptedBroker
) -> None:
    client = modem.connect(silent_broker.url)
    first = client.publish_nowait("a/first", b"", 1)
    silent_broker.wait_for(PUBLISH)
    queued = [client.publish_nowait(f"a/{number}") for number in range(100)]
    begun = threading.Barrier(4)

    def cancel_all() -> list[bool]:
        begun.wait()
        return [future.cancel() for future in queued]

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(cancel_all) for _ in range(4)]
        assert all(all(answer.result(30)) for answer in answers)
    assert wait(queued, timeout=30).not_done == set()
    silent_broker.speak_again()
    first.result(30)
    client.disconnect()


def test_written_publish_cannot_be_cancelled(modem: SimcomMqtt, silent_broker: ScriptedBroker) -> None:
    client = modem.connect(silent_broker.url)
    future = client.publish_nowait("a", b"", 1)
    silent_broker.wait_for(PUBLISH)

    assert not future.cancel()
    assert not future.cancelled()
    assert not future.done()

    silent_broker.speak_again()
    assert future.result(30) is None
    client.disconnect()


def test_close_ends_every_future(simulator: SimulatedModem, silent_broker: ScriptedBroker) -> None:
    modem = SimcomMqtt(simulator.port)
    client = modem.connect(silent_broker.url)
    futures = [client.publish_nowait("a", b"", 1) for _ in range(200)]
    silent_broker.wait_for(PUBLISH)
    called: list[Future[None]] = []
    for future in futures:
        future.add_done_callback(called.append)

    modem.close()

    errors = [future.exception(0) for future in futures]
    assert isinstance(errors[0], OutcomeUnknownError)
    assert isinstance(errors[0].__cause__, ClosedError)
    assert isinstance(errors[0].late.exception(0), (ClosedError, OutcomeUnknownError))
    assert {type(error) for error in errors[1:]} == {ClosedError}
    assert called == futures
    assert not futures[5].cancel()


def test_port_loss_ends_every_future(simulator: SimulatedModem, silent_broker: ScriptedBroker) -> None:
    with SimcomMqtt(simulator.port) as modem:
        client = modem.connect(silent_broker.url)
        futures = [client.publish_nowait("a", b"", 1) for _ in range(20)]
        silent_broker.wait_for(PUBLISH)

        simulator.unplug()

        assert wait(futures, timeout=30).not_done == set()
        assert all(future.exception(0) for future in futures)


def test_refused_publish_sets_the_exception(simulator: SimulatedModem, client: MqttClient, base: str) -> None:
    simulator.fail_next("CMQTTPUB", 17)
    future = client.publish_nowait(base, b"x")

    with pytest.raises(MqttError, match="17") as refused:
        future.result(30)
    assert future.exception(0) is refused.value
    assert client.publish_nowait(base, b"x").result(30) is None


def test_publish_nowait_without_connection_fails(modem: SimcomMqtt) -> None:
    modem.start()
    client = modem.acquire("dut")
    with pytest.raises(ConnectionLostError):
        client.publish_nowait("a").result(30)


def test_result_after_the_timeout_arrives_in_late(modem: SimcomMqtt, silent_broker: ScriptedBroker) -> None:
    client = modem.connect(silent_broker.url)
    error = client.publish_nowait("a", b"", 1, timeout=0.2).exception(30)
    assert isinstance(error, OutcomeUnknownError)
    assert isinstance(error.__cause__, CommandTimeoutError)

    called: Future[Future[None]] = Future()
    error.late.add_done_callback(called.set_result)
    silent_broker.speak_again()

    assert called.result(30) is error.late
    assert error.late.result(0) is None
    client.disconnect()


def test_done_callbacks_run_after_one_of_them_raises(
    modem: SimcomMqtt, silent_broker: ScriptedBroker
) -> None:
    client = modem.connect(silent_broker.url)
    reached: Future[None] = Future()

    def fail(future: Future[None]) -> None:
        raise [KeyError("mine"), SystemExit(3), KeyboardInterrupt()][int(future is second)]

    first, second, third = (client.publish_nowait("a", b"", 1) for _ in range(3))
    first.add_done_callback(fail)
    second.add_done_callback(fail)
    third.add_done_callback(lambda _: reached.set_result(None))
    silent_broker.speak_again()

    assert reached.result(30) is None
    assert wait([first, second], timeout=5).not_done == set()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_base_exception_in_done_callback_is_logged(
    modem: SimcomMqtt,
    silent_broker: ScriptedBroker,
    caplog: pytest.LogCaptureFixture,
    kind: type[BaseException],
) -> None:
    def exit_thread(_: Future[None]) -> None:
        raise kind

    client = modem.connect(silent_broker.url)
    client.publish_nowait("a", b"", 1).add_done_callback(exit_thread)
    silent_broker.speak_again()

    assert client.publish_nowait("a").result(30) is None
    assert [record.exc_info and record.exc_info[0] for record in caplog.records if record.exc_info] == [kind]


def test_done_callback_may_call_blocking_methods(client: MqttClient, base: str) -> None:
    done: Future[bool] = Future()

    def work(_: Future[None]) -> None:
        with client.capture() as inbox:
            client.subscribe(base)
            client.publish(base, b"x", 1)
            done.set_result(inbox.get().payload == b"x" and client.query().connected)

    client.publish_nowait(base).add_done_callback(work)

    assert done.result(30)


def test_as_completed_works_with_the_futures(client: MqttClient, base: str) -> None:
    futures = {client.publish_nowait(base, b"%d" % number) for number in range(20)}
    assert set(as_completed(futures, timeout=5)) == futures


def test_futures_can_be_awaited_with_asyncio(
    modem: SimcomMqtt, client: MqttClient, host: HostClient, base: str
) -> None:
    async def work() -> list[bytes]:
        loop = asyncio.get_running_loop()
        with client.capture(base) as inbox:
            await loop.run_in_executor(None, client.subscribe, base)
            await asyncio.gather(
                *(asyncio.wrap_future(client.publish_nowait(base, b"%d" % number, 1)) for number in range(20))
            )
            received, quality = await asyncio.gather(
                loop.run_in_executor(None, inbox.wait_count, 20),
                loop.run_in_executor(None, modem.signal_quality),
            )
        assert quality.rssi_dbm is not None
        return [message.payload for message in received]

    assert sorted(map(int, asyncio.run(work()))) == list(range(20))


def test_cancelling_an_asyncio_wait_cancels_the_publish(
    modem: SimcomMqtt, silent_broker: ScriptedBroker
) -> None:
    client = modem.connect(silent_broker.url)
    first = client.publish_nowait("a/first", b"", 1)
    silent_broker.wait_for(PUBLISH)

    async def work() -> None:
        queued = client.publish_nowait("a/queued", b"", 1)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(queued), 0.05)
        assert queued.cancelled()

    asyncio.run(work())
    silent_broker.speak_again()
    first.result(30)
    client.publish("a/last", b"", 1)
    assert silent_broker.wait_for(PUBLISH).topic == b"a/last"
    client.disconnect()
