"""Concurrency: two clients, task groups, callbacks, and the end of the event loop."""

import asyncio
import gc
import re
import sys
import threading
from pathlib import Path

import pytest

from child_scripts import Interpreter, interpreters, script
from host_client import HostClient
from scripted_broker import SUBSCRIBE, ScriptedBroker
from scripted_module import ScriptedModule
from simcom_mqtt import ClosedError, LossCause, Message, Reconnect, aio
from simcom_mqtt.simulator import SimulatedModem


def test_clients_do_not_wait_for_each_other(simulator: SimulatedModem, broker_url: str) -> None:
    async def main(broker: ScriptedBroker) -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            slow = await modem.connect(broker.url)
            quick = await modem.connect(broker_url)
            waiting = asyncio.create_task(slow.subscribe("a", timeout=9))
            await asyncio.to_thread(broker.wait_for, SUBSCRIBE)
            await quick.subscribe("a")
            await quick.publish("a", "b", 1)
            await modem.signal_quality()
            assert not waiting.done()
            broker.speak_again()
            await waiting

    with ScriptedBroker(silent_on=SUBSCRIBE) as broker:
        asyncio.run(main(broker))


def test_two_clients_connect_at_once(simulator: SimulatedModem, broker_url: str) -> None:
    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(modem.connect(broker_url)) for _ in range(2)]
            assert sorted(task.result().index for task in tasks) == [0, 1]

    asyncio.run(main())


def test_failing_task_ends_its_group(simulator: SimulatedModem, broker_url: str, base: str) -> None:
    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem, await modem.connect(broker_url) as client:

            async def all_together() -> None:
                async with asyncio.TaskGroup() as group:
                    group.create_task(client.messages(base).__anext__())
                    group.create_task(client.wait_for_message(base, timeout=60))
                    group.create_task(client.publish("", "no topic"))

            with pytest.raises(ExceptionGroup) as failures:
                await all_together()
            assert [type(error) for error in failures.value.exceptions] == [ValueError]

    asyncio.run(main())


def test_callbacks_run_in_event_loop_in_order(simulator: SimulatedModem, broker_url: str, base: str) -> None:
    async def main() -> None:
        received: list[str] = []
        all_there = asyncio.Event()
        loop_thread = threading.get_ident()

        def collect(message: Message) -> None:
            assert threading.get_ident() == loop_thread
            received.append(message.text())
            if len(received) == 50:
                all_there.set()
                raise KeyError("kept")

        async with aio.SimcomMqtt(simulator.port) as modem, await modem.connect(broker_url) as client:
            client.on_message = collect
            assert client.on_message is collect
            await client.subscribe(base, 1)
            await asyncio.gather(*(client.publish(base, str(number), 1) for number in range(50)))
            await all_there.wait()
            assert received == [str(number) for number in range(50)]
            client.on_message = None
            assert client.on_message is None
        assert [type(error) for error in modem.callback_errors] == [KeyError]

    asyncio.run(main())


def test_callbacks_get_awaitable_clients(simulator: SimulatedModem, broker_url: str) -> None:
    async def main() -> None:
        events: asyncio.Queue[tuple[str, object]] = asyncio.Queue()
        async with aio.SimcomMqtt(simulator.port) as modem:
            modem.on_connection_lost = lambda client, cause: events.put_nowait((cause.name, client))
            modem.on_reconnected = lambda client: events.put_nowait(("reconnected", client))
            client = await modem.connect(broker_url, reconnect=Reconnect(min_delay=0.01))
            simulator.drop_connection(0)
            assert await events.get() == (LossCause.CLOSED_PASSIVELY.name, client)
            assert await events.get() == ("reconnected", client)

    asyncio.run(main())


def test_coroutine_function_is_refused_as_callback(simulator: SimulatedModem, broker_url: str) -> None:
    async def answer(message: Message) -> None:
        raise AssertionError(message)

    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            with pytest.raises(TypeError, match=r"client\.messages\(\)"):
                modem.on_message = answer
            client = await modem.connect(broker_url)
            with pytest.raises(TypeError, match="plain function"):
                await client.subscribe("a", callback=answer)

    asyncio.run(main())


def test_event_loop_may_end_before_module_is_closed(
    simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    modem = aio.SimcomMqtt(simulator.port)

    async def main() -> None:
        await modem.open()
        client = await modem.connect(broker_url)
        await client.subscribe(base, callback=lambda _: None)
        asyncio.ensure_future(anext(client.messages(base)))  # noqa: RUF006 - not awaited
        asyncio.ensure_future(client.disconnect())  # noqa: RUF006 - not awaited
        await asyncio.sleep(0)

    asyncio.run(main())
    # Another loop may close the module, and no task of the first loop blocks that.
    asyncio.run(modem.close())
    assert not modem.is_open
    gc.collect()


def test_callback_of_closed_loop_raises(
    simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    modem = aio.SimcomMqtt(simulator.port)

    async def main() -> None:
        await modem.open()
        client = await modem.connect(broker_url)
        await client.subscribe(base, callback=lambda _: None)

    async def end() -> None:
        native = modem._opened
        assert native is not None
        with native.clients()[0].capture(base) as inbox:
            host.publish(base, b"x")
            inbox.get()
        await modem.close()
        assert [type(error) for error in modem.callback_errors] in ([RuntimeError], [ClosedError])

    asyncio.run(main())
    asyncio.run(end())


SCRIPT = """
import asyncio
from simcom_mqtt import aio

async def main():
    async with aio.SimcomMqtt(sys.argv[1]) as modem, await modem.connect(sys.argv[2]) as client:
        await client.subscribe("a", 1)
        messages = client.messages("a")
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(client.publish("a", str(number), 1))
        print(*[(await anext(messages)).text() for _ in range(20)])
        try:
            async with asyncio.timeout(0.01):
                await anext(messages)
        except TimeoutError:
            print("timeout")

asyncio.run(main())
"""


@pytest.mark.parametrize("interpreter", interpreters(), ids=str)
def test_each_installed_python(simulator: SimulatedModem, broker_url: str, interpreter: Interpreter) -> None:
    options = ("-W", "error")
    with script(SCRIPT, simulator.port, broker_url, program=interpreter.program, options=options) as process:
        output, errors = process.communicate(timeout=30)

    assert (process.returncode, errors) == (0, "")
    assert output.splitlines() == [" ".join(map(str, range(20))), "timeout"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads wake-ups from /proc")
def test_waiting_threads_do_not_wake_up() -> None:
    others = set(threading.enumerate())

    async def main(module: ScriptedModule) -> None:
        modem = aio.SimcomMqtt(module.port)
        await modem.open()
        client = await modem.acquire("dut")
        module.fall_silent()
        seen = len(module.received)
        command = asyncio.create_task(modem.command("AT+CPIN?", timeout=60))
        message = asyncio.create_task(client.wait_for_message(timeout=60))
        await asyncio.to_thread(module.wait_for_more, seen)
        started = set(threading.enumerate()) - others
        threads = [thread.native_id for thread in started if "simcom-mqtt" in thread.name]
        assert len(threads) == 1  # the background thread
        before = [wake_ups(thread) for thread in threads]
        await asyncio.wait([command, message], timeout=0.5)
        assert [wake_ups(thread) for thread in threads] == before
        command.cancel()
        message.cancel()
        await asyncio.wait([command, message])
        await modem.close()

    with ScriptedModule() as module:
        asyncio.run(main(module))


def wake_ups(thread: int | None) -> int:
    status = Path(f"/proc/self/task/{thread}/status").read_text()
    return int(re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.MULTILINE)[0])
