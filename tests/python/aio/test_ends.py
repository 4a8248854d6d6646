"""Ctrl-C and the end of the process during a wait."""

import subprocess
import sys
import time

import pytest

from child_scripts import interrupt, resume, script, wait_for_line
from scripted_module import ScriptedModule
from simcom_mqtt import SimcomError, SimcomMqtt
from simcom_mqtt._native import submit

# A wait that does not end takes at least 9 s.
LONGEST_WAIT = 3

AWAITING = """
import asyncio
from simcom_mqtt import aio

def tell():
    print("waiting", flush=True)

async def main():
    modem = aio.SimcomMqtt(sys.argv[1])
    await modem.open()
    client = await modem.acquire("dut")
    print("ready", flush=True)
    input()
    asyncio.get_running_loop().call_later(0.05, tell)
    try:
        await {wait}
    finally:
        await modem.close()
"""

INTERRUPTED = """
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
"""

WAITS = [
    "modem.signal_quality()",
    "modem.connect('mqtt://127.0.0.1')",
    "client.publish('a')",
    "client.subscribe('a')",
    "client.wait_for_message(timeout=60)",
    "anext(client.messages())",
]


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait(wait: str) -> None:
    source = AWAITING.format(wait=wait) + INTERRUPTED
    with ScriptedModule() as module, script(source, module.port) as process:
        wait_for_line(process, "ready")
        module.fall_silent()
        resume(process)
        wait_for_line(process, "waiting")
        assert interrupt(process) < LONGEST_WAIT
        assert process.returncode == 0


UNFINISHED = """
loop = asyncio.new_event_loop()
task = loop.create_task(main())
try:
    loop.run_until_complete(asyncio.wait_for(asyncio.shield(task), 0.3))
except TimeoutError:
    print("unfinished", flush=True)
"""


def test_process_ends_during_a_call() -> None:
    source = AWAITING.format(wait="modem.command('AT+CPIN?', timeout=60)") + UNFINISHED
    with ScriptedModule() as module, script(source, module.port) as process:
        wait_for_line(process, "ready")
        module.fall_silent()
        resume(process)
        began = time.monotonic()
        output, errors = process.communicate(timeout=9)

    assert process.returncode == 0, errors
    assert "unfinished" in output
    assert time.monotonic() - began < 5


def test_interrupt_ends_a_submitted_operation() -> None:
    with ScriptedModule() as module, SimcomMqtt(module.port, command_timeout=0.2) as modem:
        module.fall_silent()
        began = time.monotonic()
        operation = submit(modem.command, "AT+CPIN?", timeout=60)
        operation.interrupt()
        with pytest.raises(SimcomError, match="interrupted"):
            operation.result(LONGEST_WAIT)
        assert time.monotonic() - began < LONGEST_WAIT


def test_submit_refuses_wrong_arguments_at_once() -> None:
    with ScriptedModule() as module, SimcomMqtt(module.port) as modem:
        with pytest.raises(ValueError, match="timeout"):
            submit(modem.command, "AT", timeout=-1.0)
        assert submit(modem.command, "AT").result(LONGEST_WAIT) == []


def test_import_of_driver_does_not_import_asyncio() -> None:
    source = "import sys, simcom_mqtt; print([name for name in sys.modules if name.startswith('asyncio')])"
    result = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
