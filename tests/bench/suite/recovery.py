"""Time to recover: from a fault to the next publish done and the next message delivered."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from simcom_mqtt.simulator import SimulatedModem
from simcom_mqtt.simulator.profiles import SIM767X, Profile
from suite.broker import Broker
from suite.effort import SMOKE, Effort, interleaved
from suite.processes import Measured, Subject, python
from suite.report import Table
from suite.slow_network import SlowNetwork
from suite.statistics import median

BAUDRATE = 115_200
ROUND_TRIP = 0.1
OUTAGE = 0.5
"""Seconds that the network or the port is lost."""
INTERVAL = 0.05
"""Seconds between two messages to the module."""
TOPIC = "bench/recovery"
WITHOUT_BANNER = replace(SIM767X, boot_lines=())


@dataclass(frozen=True)
class RecoveryBench:
    """A module and its broker."""

    module: SimulatedModem
    broker: Broker


Action = Callable[[RecoveryBench], None]


@dataclass(frozen=True)
class Fault:
    """A kind of fault. `end` is called when the outage has lasted for `OUTAGE`."""

    begin: Action
    end: Action | None = None
    profile: Profile = SIM767X


FAULTS = {
    "CONNLOST 1": Fault(lambda bench: bench.module.drop_connection(0, 1)),
    "CONNLOST 2": Fault(lambda bench: bench.module.drop_connection(0, 2)),
    "CONNLOST 3": Fault(lambda bench: bench.module.drop_connection(0, 3)),
    f"NONET, network back after {OUTAGE} s": Fault(
        lambda bench: bench.module.lose_network(), lambda bench: bench.module.restore_network()
    ),
    "reboot with banner": Fault(lambda bench: bench.module.reboot()),
    "silent reboot": Fault(lambda bench: bench.module.reboot(), profile=WITHOUT_BANNER),
    f"port lost, back after {OUTAGE} s": Fault(
        lambda bench: bench.module.unplug(), lambda bench: bench.module.plug()
    ),
    "mute: no answer to one command": Fault(lambda bench: bench.module.mute_next("CMQTTTOPIC")),
    f"broker restarted, back after {OUTAGE} s": Fault(
        lambda bench: bench.broker.stop(), lambda bench: bench.broker.start()
    ),
}


def measure(effort: Effort) -> list[Table]:
    """Measures each kind of fault; a smoke run measures one kind."""
    faults = dict(list(FAULTS.items())[:1]) if effort is SMOKE else FAULTS
    table = Table(
        "Time to recover, line of 115,200 baud, network with a round trip of 100 ms",
        ["", "next publish done", "next message delivered"],
    )
    contenders = {f"simcom-mqtt, {name}": partial(_recover, fault) for name, fault in faults.items()}
    for name, rounds in interleaved(contenders, effort.rounds).items():
        cells = [
            f"{median(measured[key] for measured in rounds) / 1e9:.2f} s"
            for key in ("publish_ns", "message_ns")
        ]
        table.add(name, *cells)
    table.notes.append(
        "From the fault on, the outage included. The publish has QoS 1 and is submitted at the fault."
        f" The broker gets a message for the module every {INTERVAL * 1000:.0f} ms. `Reconnect()` and all"
        " timeouts have their defaults."
    )
    return [table]


def _recover(fault: Fault) -> Measured:
    with (
        Broker() as broker,
        SlowNetwork(broker.port, ROUND_TRIP) as network,
        SimulatedModem(broker=network.address, profile=fault.profile, baudrate=BAUDRATE) as module,
        _messages(broker.port),
        Subject(python("recover_simcom_mqtt", module.port, TOPIC)) as subject,
    ):
        bench = RecoveryBench(module, broker)
        fault_ns = time.monotonic_ns()
        fault.begin(bench)
        begun_ns = time.monotonic_ns()
        subject.start()
        if fault.end is not None:
            time.sleep(OUTAGE)
            fault.end(bench)
        measured = subject.result()
    arrivals = zip(measured["sent_ns"], measured["arrived_ns"], strict=True)
    first = min(arrived for sent, arrived in arrivals if sent > begun_ns)
    return {"publish_ns": measured["published_ns"] - fault_ns, "message_ns": first - fault_ns}


@contextmanager
def _messages(port: int) -> Iterator[None]:
    """Publishes a message with a time stamp every `INTERVAL`, also after a restart of the broker."""
    stop = threading.Event()
    publisher = threading.Thread(target=_publish_until, args=(stop, port))
    publisher.start()
    try:
        yield
    finally:
        stop.set()
        publisher.join()


def _publish_until(stop: threading.Event, port: int) -> None:
    while not stop.is_set():
        lost = threading.Event()
        client = Client(CallbackAPIVersion.VERSION2)
        client.on_disconnect = lambda *_, lost=lost: lost.set()
        try:
            client.connect("127.0.0.1", port)
        except OSError:  # the broker is being restarted
            stop.wait(INTERVAL)
            continue
        client.loop_start()
        while not stop.wait(INTERVAL) and not lost.is_set():
            client.publish(TOPIC, str(time.monotonic_ns()))
        client.loop_stop()
