"""A process that exits without close(): no crash, no hang, no text on standard error."""

import os
import signal
import subprocess

import pytest

from child_scripts import Interpreter, interpreters, script, wait_for_line
from scripted_broker import PUBLISH, ScriptedBroker
from simcom_mqtt.simulator import SimulatedModem

EXITS = int(os.environ.get("SIMCOM_MQTT_EXITS", "20"))
"""Number of exits of each interpreter while callbacks run."""
RUNS = 10
"""Number of exits in each test."""

every_interpreter = pytest.mark.parametrize("interpreter", interpreters(), ids=str)

CONNECTED = """
modem = SimcomMqtt(sys.argv[1])
client = modem.connect(sys.argv[2])
topic = "exit/" + client.client_id
entered = threading.Event()
"""

# Each message makes the callback publish the next one, also while the interpreter shuts down.
CALLBACKS_THAT_PUBLISH = (
    CONNECTED
    + """
seen = threading.Semaphore(0)
def again(message):
    seen.release()
    client.publish_nowait(topic, message.payload).add_done_callback(lambda future: seen.release())
client.subscribe(topic, callback=again)
for _ in range(3):
    client.publish(topic, b"x")
for _ in range(12):
    seen.acquire()
"""
)


def run(
    interpreter: Interpreter, source: str, *arguments: str, options: tuple[str, ...] = ()
) -> tuple[int, str]:
    """Returns the exit code and the text on standard error."""
    with script(source, *arguments, program=interpreter.program, options=options) as process:
        _, errors = process.communicate(timeout=30)
        return process.returncode, errors


@pytest.mark.parametrize("part", range(EXITS // RUNS))
@every_interpreter
def test_exit_while_callbacks_run_is_clean(
    interpreter: Interpreter, part: int, simulator: SimulatedModem, broker_url: str
) -> None:
    for _ in range(RUNS):
        simulator.reset()
        assert run(interpreter, CALLBACKS_THAT_PUBLISH, simulator.port, broker_url) == (0, "")


IN_A_CALLBACK = (
    CONNECTED
    + """
def work(message):
    entered.set()
    {work}
client.subscribe(topic, callback=work)
client.publish(topic)
entered.wait()
"""
)

IN_A_DONE_CALLBACK = (
    CONNECTED
    + """
def work(future):
    entered.set()
    {work}
def publish(message):
    # Futures end on the callback thread, so this one cannot be done before it has its done-callback.
    client.publish_nowait("a").add_done_callback(work)
client.subscribe(topic, callback=publish)
client.publish(topic)
entered.wait()
"""
)

IN_A_DAEMON_THREAD = (
    CONNECTED
    + """
def work():
    entered.set()
    try:
        {work}
    except (ClosedError, OutcomeUnknownError):
        pass
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
entered.wait()
"""
)

SCRIPTS = {
    "opened": "modem = SimcomMqtt(sys.argv[1])",
    "connected": CONNECTED + "client.on_message = print",
    "a callback that waits": IN_A_CALLBACK.format(work="client.wait_for_message(timeout=60)"),
    "a callback that sleeps": IN_A_CALLBACK.format(work="time.sleep(60)"),
    "a callback that never ends": IN_A_CALLBACK.format(work="while True: pass"),
    "a callback that sleeps briefly again and again": IN_A_CALLBACK.format(
        work="\n    while True: time.sleep(0.0001)"
    ),
    "a done-callback that sleeps": IN_A_DONE_CALLBACK.format(work="time.sleep(60)"),
    "a done-callback that never ends": IN_A_DONE_CALLBACK.format(work="while True: pass"),
    "threads that get": IN_A_DAEMON_THREAD.format(work="client.capture().get(timeout=60)"),
    "threads that iterate": IN_A_DAEMON_THREAD.format(work="list(client.messages())"),
    "threads that publish": IN_A_DAEMON_THREAD.format(work="\n        while True: client.publish(topic)"),
    "threads that queue": IN_A_DAEMON_THREAD.format(
        work="\n        while True: client.publish_nowait(topic)"
    ),
    "threads that query": IN_A_DAEMON_THREAD.format(work="\n        while True: modem.signal_quality()"),
    "threads that get closed errors": IN_A_DAEMON_THREAD.format(
        work="""
        while True:
            try:
                client.is_connected()
                modem.command("AT")
            except ClosedError:
                pass"""
    ),
    "publishes that are queued": CONNECTED
    + 'futures = [client.publish_nowait(topic, b"x" * 4096, 2) for _ in range(100)]',
    "a log at DEBUG": """
import logging
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
"""
    + CALLBACKS_THAT_PUBLISH,
    "a log that is slow": """
import logging
logging.getLogger("simcom_mqtt.at").addFilter(lambda record: time.sleep(60))
logging.getLogger("simcom_mqtt.at").setLevel(logging.DEBUG)
"""
    + CONNECTED,
    "a reference cycle": CONNECTED + "client.on_message = lambda message: client",
    "atexit that uses the driver": CONNECTED + "import atexit; atexit.register(client.publish, topic)",
    "atexit that finds the driver closed": """
import atexit
def last():
    try:
        modem.command("AT")
    except ClosedError:
        modem.close()
atexit.register(last)
"""
    + CONNECTED,
}


@pytest.mark.parametrize("name", SCRIPTS)
@every_interpreter
def test_exit_without_close_is_clean(
    interpreter: Interpreter, name: str, simulator: SimulatedModem, broker_url: str
) -> None:
    assert run(interpreter, SCRIPTS[name], simulator.port, broker_url) == (0, "")


@pytest.mark.parametrize("part", range(2))
@every_interpreter
def test_exit_while_threads_get_closed_errors_is_clean(
    interpreter: Interpreter, part: int, simulator: SimulatedModem, broker_url: str
) -> None:
    for _ in range(5):
        simulator.reset()
        assert run(interpreter, SCRIPTS["threads that get closed errors"], simulator.port, broker_url) == (
            0,
            "",
        )


@every_interpreter
def test_exit_ends_unacknowledged_publishes(interpreter: Interpreter, simulator: SimulatedModem) -> None:
    source = (
        CONNECTED
        + """
futures = [client.publish_nowait(topic, b"", 1) for _ in range(10)]
print("queued", flush=True)
input()
import atexit
# Runs after the driver's own exit hook, which is registered last.
"""
    )
    source = (
        "import atexit\natexit.register(lambda: print(*(future.done() for future in futures)))\n" + source
    )
    with (
        ScriptedBroker(silent_on=PUBLISH) as broker,
        script(source, simulator.port, broker.url, program=interpreter.program) as process,
    ):
        wait_for_line(process, "queued")
        broker.wait_for(PUBLISH)
        output, errors = process.communicate("\n", timeout=30)

    assert (process.returncode, output, errors) == (0, " ".join(["True"] * 10) + "\n", "")


@pytest.mark.parametrize(
    ("last", "code"), [("sys.exit(3)", 3), ("raise SystemExit('no')", 1), ("import os; os._exit(4)", 4)]
)
@every_interpreter
def test_exit_code_is_that_of_the_script(
    interpreter: Interpreter, last: str, code: int, simulator: SimulatedModem, broker_url: str
) -> None:
    returned, _ = run(interpreter, CALLBACKS_THAT_PUBLISH + last, simulator.port, broker_url)

    assert returned == code


@every_interpreter
def test_unhandled_exception_ends_script_with_traceback(
    interpreter: Interpreter, simulator: SimulatedModem, broker_url: str
) -> None:
    source = CALLBACKS_THAT_PUBLISH + "raise KeyError('mine')"
    returned, errors = run(interpreter, source, simulator.port, broker_url)

    assert returned == 1
    assert errors.splitlines()[0] == "Traceback (most recent call last):"
    assert errors.splitlines()[-1] == "KeyError: 'mine'"


# Blocks for longer than the shutdown waits. Python's own logging waits for a running handler.
LOG_HANDLER_THAT_BLOCKS = """
import logging
entered = threading.Event()
class Slow(logging.Handler):
    def emit(self, record):
        entered.set()
        threading.Event().wait(2.5)
logging.getLogger("simcom_mqtt.at").addHandler(Slow())
logging.getLogger("simcom_mqtt.at").setLevel(logging.DEBUG)
modem = SimcomMqtt(sys.argv[1])
entered.wait()
"""


@every_interpreter
def test_exit_while_a_log_handler_blocks_is_clean(
    interpreter: Interpreter, simulator: SimulatedModem
) -> None:
    assert run(interpreter, LOG_HANDLER_THAT_BLOCKS, simulator.port) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_killing_signal_ends_process_silently(
    simulator: SimulatedModem, broker_url: str, number: signal.Signals
) -> None:
    source = CALLBACKS_THAT_PUBLISH + "print('works', flush=True); threading.Event().wait()"
    with script(source, simulator.port, broker_url) as process:
        wait_for_line(process, "works")
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)

    assert (process.returncode, errors) == (-number, "")


@every_interpreter
def test_ctrl_c_at_exit_ends_the_wait_for_a_callback(
    interpreter: Interpreter, simulator: SimulatedModem, broker_url: str
) -> None:
    source = """
import atexit
atexit.register(print, "closed", flush=True)
""" + IN_A_CALLBACK.format(work="time.sleep(60)")
    source += """
begun = threading.Event()
def tell():
    begun.wait()
    print("ending", flush=True)
threading.Thread(target=tell, daemon=True).start()
sys.setswitchinterval(60)
atexit.register(begun.set)
"""
    with script(source, simulator.port, broker_url, program=interpreter.program) as process:
        wait_for_line(process, "ending")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)

    assert output == "closed\n"
    assert errors.splitlines()[-1] in ("KeyboardInterrupt", "KeyboardInterrupt: ")


def test_import_starts_no_threads() -> None:
    source = "print(threading.active_count(), len(__import__('os').listdir('/proc/self/task')))"
    with script(source) as process:
        output, errors = process.communicate(timeout=30)

    assert (output, errors) == ("1 1\n", "")


def test_each_python_version_is_found_once() -> None:
    versions = [interpreter.version for interpreter in interpreters()]
    assert versions == sorted(set(versions))
    assert subprocess.run([interpreters()[0].program, "-c", ""], check=False).returncode == 0
