"""A cancelled call ends at once, leaves no thread, and reports an outcome that is unknown."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import pytest

from scripted_broker import CONNECT, PUBLISH, ScriptedBroker
from scripted_module import ScriptedModule
from simcom_mqtt import OutcomeUnknownError, aio
from simcom_mqtt.simulator import SimulatedModem

# A wait that does not end takes at least 9 s.
SOON = 3

CALLS: dict[str, Callable[[aio.SimcomMqtt, aio.MqttClient], Awaitable[object]]] = {
    "start": lambda modem, _: modem.start(),
    "stop": lambda modem, _: modem.stop(),
    "acquire": lambda modem, _: modem.acquire("other", 1),
    "modem.connect": lambda modem, _: modem.connect("mqtt://127.0.0.1"),
    "clients": lambda modem, _: modem.clients(),
    "is_started": lambda modem, _: modem.is_started(),
    "subscribed_topics": lambda modem, _: modem.subscribed_topics(),
    "limits": lambda modem, _: modem.limits(),
    "command": lambda modem, _: modem.command("AT+CPIN?", timeout=9),
    "configure_ssl": lambda modem, _: modem.configure_ssl(0, sslversion=4),
    "ssl_context": lambda modem, _: modem.ssl_context(0),
    "upload_certificate": lambda modem, _: modem.upload_certificate("a.pem", b"-----BEGIN CERTIFICATE-----"),
    "certificates": lambda modem, _: modem.certificates(),
    "delete_certificate": lambda modem, _: modem.delete_certificate("a.pem"),
    "info": lambda modem, _: modem.info(),
    "signal_quality": lambda modem, _: modem.signal_quality(),
    "cell": lambda modem, _: modem.cell(),
    "pdp_contexts": lambda modem, _: modem.pdp_contexts(),
    "wait_for_network": lambda modem, _: modem.wait_for_network(9),
    "sim": lambda modem, _: modem.sim(),
    "enter_pin": lambda modem, _: modem.enter_pin("1234"),
    "registration": lambda modem, _: modem.registration(),
    "data_contexts": lambda modem, _: modem.data_contexts(),
    "set_apn": lambda modem, _: modem.set_apn("internet"),
    "clock": lambda modem, _: modem.clock(),
    "sync_clock": lambda modem, _: modem.sync_clock(timeout=9),
    "set_gnss": lambda modem, _: modem.set_gnss(True, timeout=9),
    "position": lambda modem, _: modem.position(),
    "modem.__aexit__": lambda modem, _: modem.__aexit__(None, None, None),
    "set_will": lambda _, client: client.set_will("a", b"b"),
    "use_ssl_context": lambda _, client: client.use_ssl_context(0),
    "configure": lambda _, client: client.configure(check_utf8=True),
    "client.connect": lambda _, client: client.connect("mqtt://127.0.0.1"),
    "disconnect": lambda _, client: client.disconnect(),
    "release": lambda _, client: client.release(),
    "publish": lambda _, client: client.publish("a", b"the length is asked for"),
    "publish of nothing": lambda _, client: client.publish("a"),
    "subscribe": lambda _, client: client.subscribe("a"),
    "unsubscribe": lambda _, client: client.unsubscribe("a"),
    "query": lambda _, client: client.query(),
    "client.__aexit__": lambda _, client: client.__aexit__(None, None, None),
}
AT_ONCE = {"close", "publish_nowait", "port", "is_open", "stats", "callback_errors", "open"}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_cancelled_call_ends_soon(
    call: Callable[[aio.SimcomMqtt, aio.MqttClient], Awaitable[object]],
) -> None:
    async def main(module: ScriptedModule) -> None:
        modem = aio.SimcomMqtt(module.port)
        await modem.open()
        try:
            client = await modem.acquire("dut")
            module.fall_silent()
            seen = len(module.received)
            task = asyncio.ensure_future(call(modem, client))
            await asyncio.to_thread(module.wait_for_more, seen)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - began < SOON
        finally:
            await modem.close()

    with ScriptedModule() as module:
        asyncio.run(main(module))


def test_table_has_every_method() -> None:
    methods = {name for name in vars(aio.SimcomMqtt) if not name.startswith(("_", "on_"))} - AT_ONCE
    assert methods - {name.removeprefix("modem.") for name in CALLS} == set()


@pytest.mark.parametrize("steps", range(8))
@pytest.mark.parametrize("name", ["signal_quality", "modem.connect", "publish", "subscribe", "query"])
def test_module_stays_usable_wherever_a_call_is_cancelled(
    simulator: SimulatedModem, broker_url: str, name: str, steps: int
) -> None:
    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem, await modem.connect(broker_url) as client:
            call = CALLS[name](modem, client) if name != "modem.connect" else modem.connect(broker_url)
            task = asyncio.ensure_future(call)
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await client.publish("a", "after it", 1)
            # The driver first disconnects and releases the client of a cancelled connect.
            async with await modem.connect(broker_url, index=1) as other:
                assert (await other.query()).connected

    asyncio.run(main())


def test_cancelled_open_frees_the_port() -> None:
    async def main(module: ScriptedModule) -> None:
        modem = aio.SimcomMqtt(module.port)
        task = asyncio.create_task(modem.open())
        await asyncio.to_thread(module.wait_for_command, "AT")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not modem.is_open
        # The port is free again.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await aio.SimcomMqtt(module.port).open()

    with ScriptedModule(mute=True) as module:
        asyncio.run(main(module))


def test_cancelled_connect_releases_its_client(simulator: SimulatedModem, broker_url: str) -> None:
    async def main(broker: ScriptedBroker) -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            task = asyncio.create_task(modem.connect(broker.url, client_id="first"))
            await asyncio.to_thread(broker.wait_for, CONNECT)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - began < SOON
            broker.speak_again()
            # The same client: by now the driver has disconnected and released it.
            async with await modem.connect(broker_url, client_id="second", index=0) as client:
                assert (await client.query()).client_id == "second"
            assert await modem.clients() == []

    with ScriptedBroker(silent_on=CONNECT) as broker:
        asyncio.run(main(broker))


def test_connect_cancelled_at_any_time_leaves_no_client(simulator: SimulatedModem, broker_url: str) -> None:
    async def main() -> None:
        connected = 0
        async with aio.SimcomMqtt(simulator.port) as modem:
            for number in range(25):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(number * 0.001), await modem.connect(broker_url, index=0):
                        connected += 1
            async with await modem.connect(broker_url, index=0) as client:
                assert (await client.query()).connected
                await client.publish("a", "b", 1)
            assert await modem.clients() == []
        assert connected < 25

    asyncio.run(main())


def test_cancelled_publish_that_was_not_written_is_not_sent(simulator: SimulatedModem) -> None:
    async def main(broker: ScriptedBroker) -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            client = await modem.connect(broker.url)
            first = asyncio.create_task(client.publish("a", "first", 1))
            await asyncio.to_thread(broker.wait_for, PUBLISH)
            second = asyncio.create_task(client.publish("a", "second", 1))
            third = asyncio.create_task(client.publish("a", "third", 1))
            await asyncio.sleep(0)
            second.cancel()
            with pytest.raises(asyncio.CancelledError) as cancelled:
                await second
            assert cancelled.value.__cause__ is None
            broker.speak_again()
            await first
            await third
            assert (await asyncio.to_thread(broker.wait_for, PUBLISH)).payload == b"third"

    with ScriptedBroker(silent_on=PUBLISH) as broker:
        asyncio.run(main(broker))


def test_cancelled_publish_that_was_written_has_future_of_result(simulator: SimulatedModem) -> None:
    async def main(broker: ScriptedBroker) -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            client = await modem.connect(broker.url)
            task = asyncio.create_task(client.publish("a", "first", 1))
            await asyncio.to_thread(broker.wait_for, PUBLISH)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as cancelled:
                await task
            unknown = cancelled.value.__cause__
            assert isinstance(unknown, OutcomeUnknownError)
            assert not unknown.late.done()
            broker.speak_again()
            await asyncio.wrap_future(unknown.late)
            assert modem.stats.publishes == 1

    with ScriptedBroker(silent_on=PUBLISH) as broker:
        asyncio.run(main(broker))


def test_cancelled_first_publish_has_future_of_result(simulator: SimulatedModem) -> None:
    async def main(broker: ScriptedBroker) -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            client = await modem.connect(broker.url)
            task = asyncio.create_task(client.publish("a", "first", 1))
            await asyncio.sleep(0)
            # Blocks the event loop, so that the cancelling comes before the result of the submission.
            broker.wait_for(PUBLISH)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as cancelled:
                await task
            assert isinstance(cancelled.value.__cause__, OutcomeUnknownError)
            broker.speak_again()
            await asyncio.wrap_future(cancelled.value.__cause__.late)

    with ScriptedBroker(silent_on=PUBLISH) as broker:
        asyncio.run(main(broker))


def test_publish_timeout_has_outcome_unknown_as_cause(simulator: SimulatedModem) -> None:
    async def main(broker: ScriptedBroker) -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            client = await modem.connect(broker.url)
            with pytest.raises(TimeoutError) as late:
                async with asyncio.timeout(0.3):
                    await client.publish("a", "first", 1)
            cancelled = late.value.__cause__
            assert cancelled is not None
            assert isinstance(cancelled.__cause__, OutcomeUnknownError)

    with ScriptedBroker(silent_on=PUBLISH) as broker:
        asyncio.run(main(broker))


def test_full_queue_does_not_block_event_loop(simulator: SimulatedModem) -> None:
    async def main(broker: ScriptedBroker) -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            client = await modem.connect(broker.url)
            await client.publish("a", "asks for the length")
            futures = [await client.publish_nowait("a", "x", 1) for _ in range(1000)]
            beyond = asyncio.create_task(client.publish_nowait("a", "one too many", 1))
            done, _ = await asyncio.wait([beyond], timeout=0.1)
            assert not done
            beyond.cancel()
            with pytest.raises(asyncio.CancelledError):
                await beyond
            for future in futures:
                future.cancel()
            await asyncio.wait(futures)

    with ScriptedBroker(silent_on=PUBLISH) as broker:
        asyncio.run(main(broker))
