"""Ctrl-C ends any wait: tested on processes."""

import contextlib
import signal
import socket

import pytest

from child_scripts import INTERRUPTED, interrupt, resume, script, wait_for_line
from host_client import HostClient
from scripted_broker import CONNECT, PUBLISH, SUBSCRIBE, ScriptedBroker
from scripted_module import ScriptedModule
from simcom_mqtt import SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

pytestmark = pytest.mark.undisturbed

LONGEST_WAIT = 0.1
# The interpreter's own steps between signal and exception take time on a slow machine.
ALLOWANCE = 0.1

OPEN = "modem = SimcomMqtt(sys.argv[1])\n"
ACQUIRED = OPEN + "client = modem.acquire('dut')\n"


@pytest.mark.parametrize(
    ("wait", "packet_type"),
    [
        ("client.connect(sys.argv[2])", CONNECT),
        ("client.connect(sys.argv[2]); client.publish('a/b', b'x', 1)", PUBLISH),
        ("client.connect(sys.argv[2]); client.publish_nowait('a/b', b'x', 1).result()", PUBLISH),
        ("client.connect(sys.argv[2]); client.publish_nowait('a/b', b'x', 1).exception()", PUBLISH),
        ("client.connect(sys.argv[2]); client.subscribe('a/b', 1)", SUBSCRIBE),
    ],
)
def test_ctrl_c_ends_a_wait_for_the_broker(simulator: SimulatedModem, wait: str, packet_type: int) -> None:
    source = OPEN + "modem.start(); client = modem.acquire('dut')" + INTERRUPTED.format(wait=wait)
    with (
        ScriptedBroker(silent_on=packet_type) as broker,
        script(source, simulator.port, broker.url) as process,
    ):
        resume(process)
        broker.wait_for(packet_type)
        assert interrupt(process) < LONGEST_WAIT + ALLOWANCE


WAITS_FOR_A_MESSAGE = [
    "client.wait_for_message('wanted', timeout=9)",
    "client.wait_for_message(timeout=9, match=lambda message: False)",
    "client.capture('wanted').get(timeout=9)",
    "client.capture().wait_count(10**9, timeout=9)",
    "next(client.messages('wanted'))",
    "[None for message in client.messages()]",
]


@pytest.mark.parametrize("wait", WAITS_FOR_A_MESSAGE)
def test_ctrl_c_ends_a_wait_for_a_message(simulator: SimulatedModem, broker_url: str, wait: str) -> None:
    source = OPEN + "client = modem.connect(sys.argv[2])" + INTERRUPTED.format(wait=wait)
    with script(source, simulator.port, broker_url) as process:
        wait_for_line(process, "ready")
        resume(process)
        wait_for_line(process, "waiting")
        assert interrupt(process) < LONGEST_WAIT + ALLOWANCE


@pytest.mark.parametrize("wait", WAITS_FOR_A_MESSAGE)
def test_ctrl_c_ends_a_wait_while_other_messages_arrive(
    simulator: SimulatedModem, broker_url: str, host: HostClient, base: str, wait: str
) -> None:
    # Each message is the echo of the one before, so they arrive exactly as fast as they are read.
    source = f"""
modem = SimcomMqtt(sys.argv[1])
client = modem.connect(sys.argv[2])
client.subscribe({base!r}, callback=lambda message: client.publish_nowait({base!r}, b"again"))
for _ in range(5):
    client.publish({base!r}, b"once")
"""
    host.subscribe(base)
    with script(source + INTERRUPTED.format(wait=wait), simulator.port, broker_url) as process:
        wait_for_line(process, "ready")
        resume(process)
        wait_for_line(process, "waiting")
        for _ in range(20):
            host.get()
        assert interrupt(process) < LONGEST_WAIT + ALLOWANCE


WAITS_FOR_THE_MODULE = [
    "modem.start()",
    "modem.stop()",
    "modem.acquire('other', 1)",
    "modem.connect('mqtt://127.0.0.1')",
    "modem.clients()",
    "modem.is_started()",
    "modem.subscribed_topics()",
    "modem.limits()",
    "modem.command('AT+CPIN?', timeout=9)",
    "modem.command('AT+CCERTDOWN=\"a.pem\",3', b'pem', timeout=9)",
    "modem.configure_ssl(0, sslversion=4)",
    "modem.ssl_context(0)",
    "modem.upload_certificate('a.pem', b'-----BEGIN CERTIFICATE-----')",
    "modem.certificates()",
    "modem.delete_certificate('a.pem')",
    "modem.info()",
    "modem.signal_quality()",
    "modem.cell()",
    "modem.pdp_contexts()",
    "modem.clock()",
    "modem.data_contexts()",
    'modem.enter_pin("1234")',
    "modem.position()",
    "modem.registration()",
    'modem.set_apn("internet")',
    "modem.set_gnss(False)",
    "modem.sim()",
    "modem.sync_clock()",
    "modem.wait_for_network(timeout=9)",
    "modem.__exit__(None, None, None)",
    "client.set_will('a', b'b')",
    "client.use_ssl_context(0)",
    "client.configure(check_utf8=True)",
    "client.connect('mqtt://127.0.0.1')",
    "client.disconnect()",
    "client.release()",
    "client.publish('a', b'b')",
    "client.publish_nowait('a').result()",
    "[client.publish_nowait('a') for _ in range(1001)]",
    "client.subscribe('a')",
    "client.unsubscribe('a')",
    "client.query()",
    "client.__exit__(None, None, None)",
]


@pytest.mark.parametrize("wait", WAITS_FOR_THE_MODULE)
def test_ctrl_c_ends_a_wait_for_the_module(wait: str) -> None:
    with (
        ScriptedModule() as module,
        script(ACQUIRED + INTERRUPTED.format(wait=wait), module.port) as process,
    ):
        wait_for_line(process, "ready")
        module.fall_silent()
        seen = len(module.received)
        resume(process)
        module.wait_for_more(seen)
        assert interrupt(process) < LONGEST_WAIT + ALLOWANCE


def test_every_method_is_in_waits_for_the_module() -> None:
    waits = " ".join(WAITS_FOR_THE_MODULE)
    at_once = {"close", "port", "is_open", "stats", "callback_errors"}
    methods = {name for name in vars(SimcomMqtt) if not name.startswith(("_", "on_"))} - at_once
    assert {name for name in methods if f"modem.{name}(" not in waits} == set()


def test_ctrl_c_ends_opening_a_mute_port() -> None:
    source = INTERRUPTED.format(wait="SimcomMqtt(sys.argv[1])")
    with ScriptedModule(mute=True) as module, script(source, module.port) as process:
        resume(process)
        module.wait_for_command("AT")
        assert interrupt(process) < LONGEST_WAIT + ALLOWANCE


def test_ctrl_c_ends_connecting_to_a_silent_server() -> None:
    # A listener with a full backlog drops new connection requests.
    with socket.socket() as server, contextlib.ExitStack() as others:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            other = others.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(server.getsockname())
        port = "socket://{}:{}".format(*server.getsockname())
        with script(INTERRUPTED.format(wait="SimcomMqtt(sys.argv[1])"), port) as process:
            wait_for_line(process, "ready")
            resume(process)
            wait_for_line(process, "waiting")
            assert interrupt(process) < LONGEST_WAIT + ALLOWANCE


BLOCKED_CALLBACK = (
    OPEN
    + """
entered = threading.Event()
def block(line):
    entered.set()
    time.sleep(60)
modem.on_urc = block
print("open", flush=True)
entered.wait()
"""
)


@pytest.mark.parametrize("wait", ["modem.close()", "modem.__exit__(None, None, None)"])
def test_ctrl_c_ends_close_while_a_callback_blocks(wait: str) -> None:
    source = BLOCKED_CALLBACK + INTERRUPTED.format(wait=wait)
    with ScriptedModule() as module, script(source, module.port) as process:
        wait_for_line(process, "open")
        module.say(b"\r\nSMS DONE\r\n")
        wait_for_line(process, "ready")
        resume(process)
        wait_for_line(process, "waiting")
        assert interrupt(process) < LONGEST_WAIT + ALLOWANCE


@pytest.mark.parametrize("block", ["with modem", "with client"])
def test_interrupted_exit_keeps_the_exception_of_the_block(block: str) -> None:
    wait = "exec(" + repr(f"{block}: raise KeyError('mine')") + ")"
    source = ACQUIRED + INTERRUPTED.format(wait=wait)
    source = source.replace(
        "KeyboardInterrupt:", "KeyboardInterrupt as error:\n    print(repr(error.__context__))"
    )
    with ScriptedModule() as module, script(source, module.port) as process:
        wait_for_line(process, "ready")
        module.fall_silent()
        seen = len(module.received)
        resume(process)
        wait_for_line(process, "waiting")
        module.wait_for_more(seen)
        process.send_signal(signal.SIGINT)
        wait_for_line(process, "KeyError('mine')")


def test_wait_continues_after_a_signal_handler_that_raises_nothing(simulator: SimulatedModem) -> None:
    source = (
        OPEN
        + """
import os, signal
waiting = threading.Event()
def handle(*_):
    # Any call works in a signal handler, as between two steps of Python code.
    print(modem.is_open, modem.signal_quality().ber, flush=True)
signal.signal(signal.SIGUSR1, handle)
os.kill(os.getpid(), signal.SIGUSR1)
client = modem.acquire("dut") if modem.start() is None else None
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1)).start()
try:
    client.wait_for_message(timeout=1)
except MessageTimeoutError:
    print("timed out")
"""
    )
    with script(source, simulator.port) as process:
        output, errors = process.communicate(timeout=8)

    assert (process.returncode, errors) == (0, "")
    assert [line.split()[0] for line in output.splitlines()] == ["True", "True", "timed"]
