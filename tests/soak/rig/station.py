"""A station of the soak: one module and its driver, traffic both ways, faults, and the message log."""

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
from .faults import Fault, shuffled_faults
from .line_tap import Published
from .message_ids import MessageId, make_message, read_message_id
from .message_log import CountsByFault, FaultCounts, InboundLog, PublishOutcome
from .simulation import Simulation

PROFILES = ("sim767x", "a76xx", "sim7600")
QOS: tuple[QoS, ...] = (0, 1, 2)
IN_FLIGHT = 16
"""Maximum number of publishes in flight for one client, and of messages in flight to one module."""
PUBLISH_TIMEOUT = 6.0
COMMAND_TIMEOUT = 1.0
SETTLED_WITHIN = 20.0
"""Seconds within which each message on the line is delivered or reported."""
STUCK_AFTER = 60.0
MISSING_AFTER = 0.5
"""Seconds after which a message to a module counts as lost with the connection."""
NO_FAULT = "none yet"


@dataclass(frozen=True)
class Quota:
    """Amount of traffic for one module."""

    messages: int
    """Messages in each direction."""
    messages_between_faults: int
    """Messages in both directions together."""
    deadline: float
    """Time on the monotonic clock at which the soak stops."""


class Station:
    """Open while the `with` block runs. `run` returns when the quota is done."""

    def __init__(self, number: int, broker: Broker, sender: Sender, quota: Quota, seed: int) -> None:
        self.rows: CountsByFault = defaultdict(FaultCounts)
        self.outcomes: list[PublishOutcome] = []
        self.problems: list[str] = []
        self._number = number
        self._broker = broker
        self._sender = sender
        self._quota = quota
        self._rng = random.Random(seed)  # noqa: S311 - no secret
        self._seed = seed
        self._fault = NO_FAULT
        self._changed = threading.Condition()
        self._inbound_log = InboundLog()
        self._running = True
        self._is_stopped = False
        self._begun: set[MessageId] = set()
        self._published = 0
        self._sent_to_module = 0
        self._received = 0
        self.published: list[Published] = []
        self._late: list[Future[None]] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        profile = PROFILES[self._number % len(PROFILES)]
        # Every other module splits its output into pieces of random length, down to single bytes.
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
        """Runs the traffic and the faults of the quota."""
        threads = [
            *(threading.Thread(target=self._publish, args=(client,)) for client in self._clients),
            threading.Thread(target=self._send_to_module),
        ]
        for thread in threads:
            thread.start()
        try:
            self._run_faults()
        finally:
            with self._changed:
                self._running = False
                self._changed.notify_all()
            for thread in threads:
                thread.join()
        self._settle()
        self._check_late_results()
        self.published = self.simulation.published()
        self.problems += [f"a callback raised {error!r}" for error in self._modem.callback_errors]

    def stop(self) -> None:
        """Makes `run` return soon."""
        self._is_stopped = True

    def __str__(self) -> str:
        """Returns the progress as text."""
        return f"module {self._number}: {len(self.outcomes)} up, {self._received} down"

    def wait_until_lost(self) -> None:
        """Returns when the driver knows that both connections are lost."""
        self._wait(
            lambda: not any(client.is_connected() for client in self._clients), "disconnected", poll=True
        )

    def wait_until_unplugged(self) -> None:
        """Returns when the port is gone; the fault may first wait for a message to cut."""
        port = Path(self.simulation.port)
        self._wait(lambda: not port.is_symlink(), "unplugged", poll=True)

    def bytes_read(self) -> int:
        """Returns the number of bytes that the driver has read from its port."""
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

    def _run_faults(self) -> None:
        for fault in shuffled_faults(self._rng):
            self._wait_for_traffic()
            self._settle()
            if self._is_done():
                return
            self._inject(fault)

    def _inject(self, fault: Fault) -> None:
        self._fault = fault.name
        self.rows[fault.name].times += 1
        fault.inject(self, self._rng)
        self._wait(
            lambda: all(client.is_connected() for client in self._clients), "connected again", poll=True
        )

    def _wait_for_traffic(self) -> None:
        target = self._traffic() + self._quota.messages_between_faults
        self._wait(lambda: self._traffic() >= target or self._is_over(), "moving")

    def _traffic(self) -> int:
        return len(self.outcomes) + self._received

    def _is_done(self) -> bool:
        sent_to_module = sum(row.inbound.sent for row in self.rows.values())
        is_enough = min(len(self.outcomes), sent_to_module) >= self._quota.messages
        return is_enough or self._is_over()

    def _is_over(self) -> bool:
        return self._is_stopped or monotonic() > self._quota.deadline

    def _settle(self) -> None:
        """Waits until all publishes and messages have an outcome, and counts them under the last fault."""
        begun = self._begun.copy()
        self._wait(lambda: not begun & self._begun, "ending its publishes")
        blocks = self.simulation.blocks()
        with self._changed:
            self._inbound_log.expect(blocks)
            self._changed.wait_for(self._inbound_log.is_settled, SETTLED_WITHIN)
            problems = self._inbound_log.settle(self.rows[self._fault])
        self.problems += [f"module {self._number}, after {self._fault}: {problem}" for problem in problems]

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
                message_id = MessageId("up", self._number, client.index, number)
                self._begun.add(message_id)
            qos = QOS[number % len(QOS)]
            number += 1
            future = client.publish_nowait(*make_message(message_id), qos, timeout=PUBLISH_TIMEOUT)

            def ended(future: Future[None], message_id: MessageId = message_id, qos: int = qos) -> None:
                self._publish_ended(message_id, qos, future.exception())
                window.release()

            future.add_done_callback(ended)

    def _publish_ended(self, message_id: MessageId, qos: int, error: BaseException | None) -> None:
        with self._changed:
            self._begun.discard(message_id)
            self.outcomes.append(PublishOutcome(message_id, qos, self._fault, error))
            if isinstance(error, OutcomeUnknownError):
                self._late.append(error.late)
            self._changed.notify_all()

    def _send_to_module(self) -> None:
        number = 0
        while True:
            with self._changed:
                received_before = self._received
                may_send = self._changed.wait_for(
                    lambda: not self._running or self._sent_to_module - self._received < IN_FLIGHT,
                    MISSING_AFTER,
                )
                if not self._running:
                    return
                if not may_send and self._received == received_before:
                    self._sent_to_module = self._received
                self._changed.wait_for(lambda: not self._running or not self._is_ahead(), 1)
                self._sent_to_module += 1
            message_id = MessageId("down", self._number, number % 2, number // 2)
            self._sender.send(*make_message(message_id), number % 3 % 2)
            number += 1

    def _is_ahead(self) -> bool:
        """Returns True while more messages go down than up: each fault should affect both directions."""
        return self._quota.messages > len(self.outcomes) and self._received > len(self.outcomes) + IN_FLIGHT

    def _on_message(self, message: Message) -> None:
        topic, payload = message.topic_bytes, message.payload
        message_id = read_message_id(topic, payload)
        with self._changed:
            self._received += 1
            self._inbound_log.deliver(message_id, topic, payload)
            self._changed.notify_all()

    def _on_message_lost(self, _index: int | None, why: str) -> None:
        with self._changed:
            self._received += 1
            self._inbound_log.reports.append(why)
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
        """Checks that every late result has ended when the port is closed."""
        self._modem.close()
        open_ones = sum(not late.done() for late in self._late)
        if open_ones:
            self.problems.append(f"module {self._number}: {open_ones} late results are open after close()")


class StuckError(RuntimeError):
    """Raised when a station makes no progress."""
