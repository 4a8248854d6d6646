"""Awaited messages: complete and in order, also if a wait is cancelled."""

import asyncio
import contextlib
import gc
import threading
import weakref

import pytest

from host_client import HostClient
from scripted_module import ScriptedModule
from simcom_mqtt import ClosedError, ConnectionLostError, MessageTimeoutError, aio
from simcom_mqtt.simulator import SimulatedModem

COUNT = 300


def test_cancelled_iteration_steps_lose_no_message(
    simulator: SimulatedModem, broker_url: str, base: str
) -> None:
    # A short time-out cancels each step. A message that arrives then must come with the next step.
    async def main() -> list[int]:
        async with aio.SimcomMqtt(simulator.port) as modem:
            client = await modem.connect(broker_url)
            await client.subscribe(base, 1)
            messages = client.messages(base)
            sending = asyncio.create_task(send(client))
            received: list[int] = []
            while len(received) < COUNT:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.0005 * (len(received) % 5)):
                        received.append(int((await anext(messages)).text()))
            await sending
            return received

    async def send(client: aio.MqttClient) -> None:
        futures = [await client.publish_nowait(base, str(number), 1) for number in range(COUNT)]
        await asyncio.gather(*futures)

    assert asyncio.run(main()) == list(range(COUNT))


def test_waits_for_messages_use_no_thread(simulator: SimulatedModem, broker_url: str, base: str) -> None:
    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem, await modem.connect(broker_url) as client:
            await client.subscribe(f"{base}/#")
            waiting = [
                asyncio.create_task(client.wait_for_message(f"{base}/{number}")) for number in range(50)
            ]
            await asyncio.sleep(0)
            threads = threading.active_count()
            await asyncio.gather(*(client.publish(f"{base}/{number}", "x") for number in range(50)))
            messages = await asyncio.gather(*waiting)
            assert [message.topic for message in messages] == [f"{base}/{number}" for number in range(50)]
            assert threads < 10

    asyncio.run(main())


def test_timeout_lists_the_messages_that_arrived(
    simulator: SimulatedModem, broker_url: str, base: str
) -> None:
    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem, await modem.connect(broker_url) as client:
            await client.subscribe(f"{base}/#")
            waiting = asyncio.create_task(
                client.wait_for_message(f"{base}/a", timeout=0.5, match=lambda message: message.text() == "b")
            )
            await asyncio.sleep(0)
            await client.publish(f"{base}/a", "a")
            await client.publish(f"{base}/other", "b")
            with pytest.raises(MessageTimeoutError) as failure:
                await waiting
            assert [message.topic for message in failure.value.received] == [f"{base}/a", f"{base}/other"]
            assert "within 0.5 s; 2 arrived" in str(failure.value)

    asyncio.run(main())


def test_capture(simulator: SimulatedModem, broker_url: str, base: str) -> None:
    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem, await modem.connect(broker_url) as client:
            await client.subscribe(f"{base}/#")
            with client.capture(f"{base}/#") as inbox:
                counting = asyncio.create_task(inbox.wait_count(3))
                for number in range(3):
                    await client.publish(f"{base}/{number}", str(number))
                assert await counting == inbox.messages
                assert [(await inbox.get()).text() for _ in range(3)] == ["0", "1", "2"]
                with pytest.raises(MessageTimeoutError, match="3 of 4 messages"):
                    await inbox.wait_count(4, timeout=0.05)
                assert (len(inbox), [message.text() for message in inbox]) == (3, ["0", "1", "2"])
            await client.publish(f"{base}/3", "not collected")
            with pytest.raises(MessageTimeoutError, match="and the capture has ended"):
                await inbox.get()
            assert "3 messages" in repr(inbox)
            assert "<table>" in inbox._repr_html_()

    asyncio.run(main())


def test_iteration_ends_at_timeout_or_when_closed(
    simulator: SimulatedModem, broker_url: str, base: str
) -> None:
    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem, await modem.connect(broker_url) as client:
            await client.subscribe(base)
            messages = client.messages(base, timeout=0.05)
            await client.publish(base, "one")
            assert [message.text() async for message in messages] == ["one"]

            async with contextlib.aclosing(client.messages(base)) as messages:
                await client.publish(base, "two")
                waiting = asyncio.create_task(collect(messages))
                while not waiting.done() and len(collected) < 1:
                    await asyncio.sleep(0)
            assert await waiting == ["two"]

    collected: list[str] = []

    async def collect(messages: aio.Messages) -> list[str]:
        async for message in messages:
            collected.append(message.text())  # noqa: PERF401 - the list is read while the loop runs
        return collected

    asyncio.run(main())


def test_cancelled_iteration_is_freed(simulator: SimulatedModem, broker_url: str, base: str) -> None:
    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem, await modem.connect(broker_url) as client:
            iterations: list[weakref.ref[aio.Messages]] = []

            async def iterate() -> None:
                messages = client.messages(base)
                iterations.append(weakref.ref(messages))
                async for _ in messages:
                    pass

            tasks = [asyncio.create_task(iterate()) for _ in range(5)]
            await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            del task
            tasks.clear()
            await asyncio.sleep(0)  # asyncio drops its own references
            gc.collect()
            assert [iteration() for iteration in iterations] == [None] * 5

    asyncio.run(main())


def test_lost_connection_ends_waits_under_way_only(
    simulator: SimulatedModem, broker_url: str, base: str
) -> None:
    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            client = await modem.connect(broker_url)
            await client.subscribe(base)
            messages = client.messages(base)
            # This wait times out. A later loss of connection must not end the next wait.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await anext(messages)
            waiting = asyncio.create_task(client.wait_for_message(timeout=9))
            await asyncio.sleep(0)
            simulator.drop_connection(0)
            with pytest.raises(ConnectionLostError):
                await waiting
            await client.connect(broker_url)
            await client.subscribe(base)
            await client.publish(base, "again")
            assert (await anext(messages)).text() == "again"

    asyncio.run(main())


def test_close_ends_every_wait(simulator: SimulatedModem, broker_url: str, host: HostClient) -> None:
    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            client = await modem.connect(broker_url)
            with client.capture() as inbox:
                waits = [
                    asyncio.ensure_future(anext(client.messages())),
                    asyncio.ensure_future(inbox.get()),
                    asyncio.ensure_future(inbox.wait_count(2)),
                    asyncio.ensure_future(client.wait_for_message()),
                ]
                await asyncio.sleep(0)
                await modem.close()
                ends = await asyncio.gather(*waits, return_exceptions=True)
                assert [type(end) for end in ends] == [ClosedError] * 4
                with pytest.raises(ClosedError):
                    await inbox.get()

    asyncio.run(main())


def test_close_ends_a_command_under_way() -> None:
    async def main(module: ScriptedModule) -> None:
        async with aio.SimcomMqtt(module.port) as modem:
            module.fall_silent()
            seen = len(module.received)
            waiting = asyncio.create_task(modem.signal_quality())
            await asyncio.to_thread(module.wait_for_more, seen)
            await modem.close()
            with pytest.raises(ClosedError):
                await waiting

    with ScriptedModule() as module:
        asyncio.run(main(module))
