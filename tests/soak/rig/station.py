"""One module under test: the driver on it, its traffic both ways, its faults, and the account of them."""

import random
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Self

from simcom_mqtt import Message, MqttClient, OutcomeUnknownError, Reconnect, SimcomMqtt
from simcom_mqtt.types import QoS

from .broker import Broker, Sender
from .faults import Fault, endless_plan
from .ledger import Arrivals, Outcome, Row, Rows
from .marks import Mark, make_message, read_mark
from .simulation import Simulation
from .tap import Published

PROFILES = ("sim767x", "a76xx", "sim7600")
QOS: tuple[QoS, ...] = (0, 1, 2)
IN_FLIGHT = 16
"""At most so many publishes of one client, and messages to one module, are under way."""
PUBLISH_TIMEOUT = 6.0
COMMAND_TIMEOUT = 1.0
SETTLED_WITHIN = 20.0
"""Seconds in which all that was on the line is delivered or reported."""
STUCK_AFTER = 60.0
VANISHED_AFTER = 0.5
"""What was sent to a module and does not come for so many seconds fell into a loss of its connection."""
NO_FAULT = "none yet"


@dataclass(frozen=True)
class Quota:
    """How much one module has to do."""

    messages: int
    """… of each direction."""
    messages_between_faults: int
    """… of both."""
    deadline: float
    """When to stop whatever is left, by the monotonic clock."""


class Station:
    """Runs while the `with` block does; `run` returns when its quota is done."""

    def __init__(self, number: int, broker: Broker, sender: Sender, quota: Quota, seed: int) -> None:
        self.rows: Rows = defaultdict(Row)
        self.outcomes: list[Outcome] = []
        self.complaints: list[str] = []
        self._number = number
        self._broker = broker
        self._sender = sender
        self._quota = quota
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._seed = seed
        self._fault = NO_FAULT
        self._changed = threading.Condition()
        self._arrivals = Arrivals()
        self._running = True
        self._is_stopped = False
        self._begun: set[Mark] = set()
        self._published = 0
        self._sent_down = 0
        self._came_down = 0
        self.published: list[Published] = []
        self._late: list[Future[None]] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        profile = PROFILES[self._number % len(PROFILES)]
        # Every other module says what it says in pieces of random length, down to single bytes.
        pieces = self._seed if self._number % 2 == 0 else None
        self.simulation = self._stack.enter_context(Simulation(self._broker.address, profile, pieces))
        self._modem = self._stack.enter_context(
            SimcomMqtt(self.simulation.port, command_timeout=COMMAND_TIMEOUT)
        )
        self._modem.on_message = self._on_message
        self._modem.on_message_lost = self._on_message_lost
        self._clients = [self._connect(index) for index in (0, 1)]
        return self

    def __exit__(self, *exc: object) -> None:
        self._running = False
        self._stack.__exit__(None, None, None)

    def run(self) -> None:
        """All the traffic and all the faults of the quota."""
        threads = [
            *(threading.Thread(target=self._publish, args=(client,)) for client in self._clients),
            threading.Thread(target=self._send_down),
        ]
        for thread in threads:
            thread.start()
        try:
            self._strike_and_settle()
        finally:
            with self._changed:
                self._running = False
                self._changed.notify_all()
            for thread in threads:
                thread.join()
        self._settle()
        self._check_late_results()
        self.published = self.simulation.published()
        self.complaints += [f"a callback raised {error!r}" for error in self._modem.callback_errors]

    def stop(self) -> None:
        """Have `run` return soon."""
        self._is_stopped = True

    def __str__(self) -> str:
        """How far it is."""
        return f"module {self._number}: {len(self.outcomes)} up, {self._came_down} down"

    def wait_until_lost(self) -> None:
        """Return when the driver knows that both connections are gone."""
        self._wait(lambda: not any(client.is_connected() for client in self._clients), "lost", poll=True)

    def wait_until_unplugged(self) -> None:
        """Return when the port is gone, which may wait for a message to cut."""
        port = Path(self.simulation.port)
        self._wait(lambda: not port.is_symlink(), "unplugged", poll=True)

    def bytes_read(self) -> int:
        """All that the driver has read from its port."""
        return self._modem.stats.bytes_in

    def _connect(self, index: int) -> MqttClient:
        client = self._modem.connect(
            f"mqtt://{self._broker.address}",
            client_id=f"soak-{self._number}-{index}",
            index=index,  # type: ignore[arg-type]
            keepalive=600,
            reconnect=Reconnect(min_delay=0.1, max_delay=0.5),
        )
        client.subscribe(f"soak/down/{self._number}/{index}/#", 1)
        return client

    def _strike_and_settle(self) -> None:
        for fault in endless_plan(self._chance):
            self._let_traffic_pass()
            self._settle()
            if self._is_done():
                return
            self._strike(fault)

    def _strike(self, fault: Fault) -> None:
        self._fault = fault.name
        self.rows[fault.name].times += 1
        fault.strike(self, self._chance)
        self._wait(
            lambda: all(client.is_connected() for client in self._clients), "connected again", poll=True
        )

    def _let_traffic_pass(self) -> None:
        target = self._traffic() + self._quota.messages_between_faults
        self._wait(lambda: self._traffic() >= target or self._is_late(), "moving")

    def _traffic(self) -> int:
        return len(self.outcomes) + self._came_down

    def _is_done(self) -> bool:
        sent_down = sum(row.inbound.sent for row in self.rows.values())
        is_enough = min(len(self.outcomes), sent_down) >= self._quota.messages
        return is_enough or self._is_late()

    def _is_late(self) -> bool:
        return self._is_stopped or monotonic() > self._quota.deadline

    def _settle(self) -> None:
        """Have all that is under way come to its end, and enter it under the fault that came last."""
        begun = self._begun.copy()
        self._wait(lambda: not begun & self._begun, "ending its publishes")
        blocks = self.simulation.blocks()
        with self._changed:
            self._arrivals.expect(blocks)
            self._changed.wait_for(self._arrivals.is_settled, SETTLED_WITHIN)
            complaints = self._arrivals.settle(self.rows[self._fault])
        self.complaints += [f"module {self._number}, after {self._fault}: {said}" for said in complaints]

    def _publish(self, client: MqttClient) -> None:
        window = threading.Semaphore(IN_FLIGHT)
        number = 0
        while True:
            while not window.acquire(timeout=1):
                if not self._running:
                    break
            with self._changed:
                if not self._running or self._published >= self._quota.messages:
                    break
                self._published += 1
                mark = Mark("up", self._number, client.index, number)
                self._begun.add(mark)
            qos = QOS[number % len(QOS)]
            number += 1
            future = client.publish_nowait(*make_message(mark), qos, timeout=PUBLISH_TIMEOUT)

            def ended(future: Future[None], mark: Mark = mark, qos: int = qos) -> None:
                self._publish_ended(mark, qos, future.exception())
                window.release()

            future.add_done_callback(ended)

    def _publish_ended(self, mark: Mark, qos: int, error: BaseException | None) -> None:
        with self._changed:
            self._begun.discard(mark)
            self.outcomes.append(Outcome(mark, qos, self._fault, error))
            if isinstance(error, OutcomeUnknownError):
                self._late.append(error.late)
            self._changed.notify_all()

    def _send_down(self) -> None:
        number = 0
        while True:
            with self._changed:
                came_before = self._came_down
                may_send = self._changed.wait_for(
                    lambda: not self._running or self._sent_down - self._came_down < IN_FLIGHT, VANISHED_AFTER
                )
                if not self._running:
                    return
                if not may_send and self._came_down == came_before:
                    self._sent_down = self._came_down
                self._changed.wait_for(lambda: not self._running or not self._is_ahead(), 1)
                self._sent_down += 1
            mark = Mark("down", self._number, number % 2, number // 2)
            self._sender.send(*make_message(mark), number % 3 % 2)
            number += 1

    def _is_ahead(self) -> bool:
        """As many go down as up, so that each fault meets both; until all are up."""
        return self._quota.messages > len(self.outcomes) and self._came_down > len(self.outcomes) + IN_FLIGHT

    def _on_message(self, message: Message) -> None:
        topic, payload = message.topic_bytes, message.payload
        mark = read_mark(topic, payload)
        with self._changed:
            self._came_down += 1
            self._arrivals.deliver(mark, topic, payload)
            self._changed.notify_all()

    def _on_message_lost(self, _index: int | None, why: str) -> None:
        with self._changed:
            self._came_down += 1
            self._arrivals.reports.append(why)
            self._changed.notify_all()

    def _wait(self, condition: Callable[[], bool], what: str, *, poll: bool = False) -> None:
        deadline = monotonic() + STUCK_AFTER
        with self._changed:
            while not self._changed.wait_for(condition, 0.02 if poll else 1):
                if monotonic() > deadline:
                    raise StuckError(
                        f"module {self._number} is not {what}, after {self._fault}: {self._state()}"
                    )

    def _state(self) -> str:
        connected = [client.is_connected() for client in self._clients]
        ended = f"{len(self.outcomes)} of {self._published} publishes ended"
        return f"connected {connected}, {ended}, {self._modem.stats}"

    def _check_late_results(self) -> None:
        """Each late result comes, or cannot come any more; at the latest when the port is closed."""
        self._modem.close()
        open_ones = sum(not late.done() for late in self._late)
        if open_ones:
            self.complaints.append(f"module {self._number}: {open_ones} late results are open after close()")


class StuckError(RuntimeError):
    """A station makes no progress."""
