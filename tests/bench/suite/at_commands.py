"""AT commands that an operation takes."""

import threading
from collections.abc import Callable
from typing import TypeVar

from pytest_simcom_mqtt.cleaning import clean
from simcom_mqtt import Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem
from suite.broker import Broker
from suite.effort import Effort
from suite.report import Table

T = TypeVar("T")

URL = "mqtt://broker.invalid"
TOPIC = "bench/topic"
TIMEOUT = 30


class Counter:
    """Adds a row for each operation with the commands that the module received during it."""

    def __init__(self, table: Table, module: SimulatedModem) -> None:
        self._table = table
        self._module = module

    def count(self, name: str, operation: Callable[[], T]) -> T:
        """Carries out an operation and counts its AT commands."""
        before = len(self._module.received)
        result = operation()
        lines = self._module.received[before:]
        self._table.add(f"simcom-mqtt, {name}", str(len(lines)), " ".join(map(_name, lines)))
        return result


def measure(_effort: Effort) -> list[Table]:
    """Counts the commands on a new module. The numbers are exact, so one round is enough."""
    table = Table("AT commands of an operation", ["", "commands", "names"])
    with Broker() as broker, SimulatedModem(broker=f"127.0.0.1:{broker.port}") as module:
        counter = Counter(table, module)
        modem = counter.count("open the port", lambda: SimcomMqtt(module.port))
        with modem:
            _count_client(modem, module, counter)
            counter.count("clean module with two clients", lambda: clean(modem))
            modem.connect(URL)
            counter.count("end of the `with` block with one client", lambda: modem.__exit__(None, None, None))
        _leave_stale_client(module)
        with SimcomMqtt(module.port) as modem:
            counter.count("connect over a stale client", lambda: modem.connect(URL))
    return [table]


def _count_client(modem: SimcomMqtt, module: SimulatedModem, counter: Counter) -> None:
    client = counter.count("connect, service not started", lambda: modem.connect(URL))
    counter.count("first publish", lambda: client.publish(TOPIC, b"x", qos=1))
    counter.count("publish", lambda: client.publish(TOPIC, b"x", qos=1))
    counter.count("publish with an empty payload", lambda: client.publish(TOPIC, qos=1))
    counter.count("subscribe", lambda: client.subscribe(TOPIC))
    counter.count("disconnect and release", lambda: client.__exit__(None, None, None))
    client = counter.count(
        "connect with `Reconnect`, service started", lambda: modem.connect(URL, reconnect=Reconnect())
    )
    client.subscribe(TOPIC)
    reconnected = threading.Event()
    modem.on_reconnected = lambda _: reconnected.set()

    def lose_connection() -> None:
        module.drop_connection(0)
        if not reconnected.wait(TIMEOUT):
            raise TimeoutError("the client did not reconnect")

    counter.count("reconnect after CONNLOST, one subscription", lose_connection)
    counter.count("connect the second client", lambda: modem.connect(URL))


def _leave_stale_client(module: SimulatedModem) -> None:
    modem = SimcomMqtt(module.port)
    modem.connect(URL)
    modem.close()


def _name(line: str) -> str:
    return line.removeprefix("AT+").partition("=")[0] if "=?" not in line else line.removeprefix("AT+")
