"""A forked child: every call raises ClosedError, the child exits cleanly, the parent is not affected."""

import os
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator

import pytest

from child_scripts import Interpreter, interpreters, script
from host_client import HostClient
from scripted_broker import PUBLISH, ScriptedBroker
from simcom_mqtt import Capture, ClosedError, MqttClient, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture
def other_simulator() -> Iterator[SimulatedModem]:
    with SimulatedModem() as module:
        yield module


def run_in_child(work: Callable[[], None]) -> int:
    """Returns the exit code of a forked child: 0 if nothing was raised, negative if a signal ended it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads: the point of these tests
        child = os.fork()
    if child == 0:
        # An alarm ends a child that hangs; the parent gets the number of the signal.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(4)
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


CALLS: dict[str, Callable[[SimcomMqtt, MqttClient, Capture], object]] = {
    "acquire": lambda modem, client, inbox: modem.acquire("dut", 1),
    "callback": lambda modem, client, inbox: setattr(modem, "on_message", print),
    "capture": lambda modem, client, inbox: client.capture(),
    "capture.get": lambda modem, client, inbox: inbox.get(),
    "capture.messages": lambda modem, client, inbox: inbox.messages,
    "capture.wait_count": lambda modem, client, inbox: inbox.wait_count(10**6),
    "cell": lambda modem, client, inbox: modem.cell(),
    "certificates": lambda modem, client, inbox: modem.certificates(),
    "client callback": lambda modem, client, inbox: setattr(client, "on_message", print),
    "client.connect": lambda modem, client, inbox: client.connect("mqtt://127.0.0.1"),
    "clients": lambda modem, client, inbox: modem.clients(),
    "command": lambda modem, client, inbox: modem.command("AT"),
    "configure": lambda modem, client, inbox: client.configure(check_utf8=True),
    "configure_ssl": lambda modem, client, inbox: modem.configure_ssl(0, sslversion=4),
    "connect": lambda modem, client, inbox: modem.connect("mqtt://127.0.0.1"),
    "delete_certificate": lambda modem, client, inbox: modem.delete_certificate("a.pem"),
    "disconnect": lambda modem, client, inbox: client.disconnect(),
    "info": lambda modem, client, inbox: modem.info(),
    "is_connected": lambda modem, client, inbox: client.is_connected(),
    "is_started": lambda modem, client, inbox: modem.is_started(),
    "limits": lambda modem, client, inbox: modem.limits(),
    "messages": lambda modem, client, inbox: client.messages(),
    "pdp_contexts": lambda modem, client, inbox: modem.pdp_contexts(),
    "publish": lambda modem, client, inbox: client.publish("a", b"b"),
    "publish_nowait": lambda modem, client, inbox: client.publish_nowait("a", b"b"),
    "query": lambda modem, client, inbox: client.query(),
    "release": lambda modem, client, inbox: client.release(),
    "set_will": lambda modem, client, inbox: client.set_will("a", b"b"),
    "signal_quality": lambda modem, client, inbox: modem.signal_quality(),
    "ssl_context": lambda modem, client, inbox: modem.ssl_context(0),
    "start": lambda modem, client, inbox: modem.start(),
    "stats": lambda modem, client, inbox: modem.stats,
    "stop": lambda modem, client, inbox: modem.stop(),
    "subscribe": lambda modem, client, inbox: client.subscribe("a"),
    "subscribed_topics": lambda modem, client, inbox: modem.subscribed_topics(),
    "unsubscribe": lambda modem, client, inbox: client.unsubscribe("a"),
    "upload_certificate": lambda modem, client, inbox: modem.upload_certificate("a.pem", b"pem"),
    "use_ssl_context": lambda modem, client, inbox: client.use_ssl_context(0),
    "wait_for_message": lambda modem, client, inbox: client.wait_for_message(),
    "clock": lambda modem, client, inbox: modem.clock(),
    "data_contexts": lambda modem, client, inbox: modem.data_contexts(),
    "enter_pin": lambda modem, client, inbox: modem.enter_pin("1234"),
    "position": lambda modem, client, inbox: modem.position(),
    "registration": lambda modem, client, inbox: modem.registration(),
    "set_apn": lambda modem, client, inbox: modem.set_apn("internet"),
    "set_gnss": lambda modem, client, inbox: modem.set_gnss(False),
    "sim": lambda modem, client, inbox: modem.sim(),
    "sync_clock": lambda modem, client, inbox: modem.sync_clock(),
    "wait_for_network": lambda modem, client, inbox: modem.wait_for_network(),
}


def test_every_call_in_a_child_raises_closed_error(modem: SimcomMqtt, broker_url: str, base: str) -> None:
    client = modem.connect(broker_url)
    client.subscribe(base, callback=lambda _: None)

    def call_everything() -> None:
        for call in CALLS.values():
            with pytest.raises(ClosedError, match="forked child"):
                call(modem, client, inbox)

    with client.capture() as inbox:
        iterator = client.messages()
        assert run_in_child(call_everything) == 0

        def iterate() -> None:
            with pytest.raises(ClosedError):
                next(iterator)

        assert run_in_child(iterate) == 0
    assert modem.command("AT") == []


def test_every_public_method_is_in_calls() -> None:
    untouched = {"close", "port", "is_open", "callback_errors", "modem", "index", "client_id"}
    names = {
        name
        for kind in (SimcomMqtt, MqttClient)
        for name in vars(kind)
        if not name.startswith(("_", "on_")) and name not in untouched
    }
    assert names - set(CALLS) == set()


def test_attributes_that_need_no_module_work_in_a_child(modem: SimcomMqtt, broker_url: str) -> None:
    client = modem.connect(broker_url)
    inbox = client.capture()

    def look() -> None:
        assert not modem.is_open
        assert "closed" in repr(modem)
        assert modem.port in repr(modem)
        assert client.client_id in repr(client)
        assert "parent" in repr(inbox)
        assert (client.index, client.modem is modem, modem.callback_errors) == (0, True, [])
        modem.on_message = None
        modem.close()
        modem.close()
        with modem, client, inbox:
            pass

    assert run_in_child(look) == 0
    assert modem.is_open
    assert client.is_connected()


def test_child_may_open_another_module(
    modem: SimcomMqtt, other_simulator: SimulatedModem, broker_url: str
) -> None:
    modem.connect(broker_url)

    def work() -> None:
        with SimcomMqtt(other_simulator.port) as own, own.connect(broker_url) as client:
            client.publish_nowait("a", b"b").result(3)

    assert run_in_child(work) == 0
    assert modem.command("AT") == []


def test_futures_of_the_parent_raise_closed_error_in_a_child(simulator: SimulatedModem) -> None:
    with ScriptedBroker(silent_on=PUBLISH) as broker, SimcomMqtt(simulator.port) as modem:
        client = modem.connect(broker.url)
        done = client.publish_nowait("a")
        done.result(30)
        pending = client.publish_nowait("a", b"", 1)
        broker.wait_for(PUBLISH)

        def ask() -> None:
            assert done.result() is None
            assert done.exception() is None
            for wait in (pending.result, pending.exception):
                with pytest.raises(ClosedError, match="forked child"):
                    wait()
            assert not pending.cancel()

        assert run_in_child(ask) == 0
        broker.speak_again()
        assert pending.result(30) is None
        client.disconnect()


def test_fork_during_traffic_does_not_block_the_child(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    # During this traffic, threads hold the locks that the child must not wait for.
    client = modem.connect(broker_url)
    client.subscribe(base, callback=lambda message: client.publish_nowait(base, message.payload))
    host.subscribe(base)
    for _ in range(5):
        client.publish(base, b"again")
    inbox = client.capture()

    def call_some() -> None:
        for name in (
            "publish_nowait",
            "capture",
            "messages",
            "stats",
            "is_connected",
            "capture.get",
            "query",
        ):
            with pytest.raises(ClosedError):
                CALLS[name](modem, client, inbox)
        repr((modem, client, inbox))
        inbox.__exit__(None, None, None)

    for _ in range(15):
        host.get()
        assert run_in_child(call_some) == 0
    assert client.is_connected()


CHILD_THAT_ENDS = """
import os
modem = SimcomMqtt(sys.argv[1])
client = modem.connect(sys.argv[2])
client.subscribe("fork", callback=lambda message: client.publish_nowait("fork", message.payload))
for _ in range(5):
    client.publish("fork", b"again")
{fork}
print(modem.command("AT"), client.is_connected())
"""

BY_HAND = """
for _ in range(5):
    child = os.fork()
    if child == 0:
        try:
            client.publish("a")
        except ClosedError:
            # Exits normally, with exit hooks.
            sys.exit(7)
        sys.exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""

BY_MULTIPROCESSING = """
import multiprocessing
context = multiprocessing.get_context("fork")
def work(answers):
    try:
        modem.command("AT")
    except ClosedError as error:
        answers.put(error)
answers = context.SimpleQueue()
children = [context.Process(target=work, args=(answers,)) for _ in range(3)]
for child in children:
    child.start()
    assert isinstance(answers.get(), ClosedError)
    child.join()
    assert child.exitcode == 0
"""


@pytest.mark.parametrize("fork", [BY_HAND, BY_MULTIPROCESSING], ids=["by hand", "multiprocessing"])
@pytest.mark.parametrize("interpreter", interpreters(), ids=str)
def test_child_exits_normally(
    interpreter: Interpreter, simulator: SimulatedModem, broker_url: str, fork: str
) -> None:
    source = CHILD_THAT_ENDS.format(fork=fork)
    ignored = ("-W", "ignore::DeprecationWarning")  # Python 3.12 warns of a fork with threads
    with script(source, simulator.port, broker_url, program=interpreter.program, options=ignored) as process:
        output, errors = process.communicate(timeout=30)

    assert (process.returncode, output, errors) == (0, "[] True\n", "")
