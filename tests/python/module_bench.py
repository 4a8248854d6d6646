"""Bench for random sequences: a driver on a simulated module, and a log of every message both ways."""

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Any, Final, TypeVar

from bench_host import BenchHost
from bench_messages import SentMessage
from rig.line_tap import LineTap, Published
from rig.message_ids import MessageId
from rig.message_log import (
    CERTAINLY_NOT_SENT,
    CountsByFault,
    FaultCounts,
    InboundLog,
    PublishOutcome,
    settle_outbound,
)
from simcom_mqtt import (
    ConnectionLostError,
    Message,
    MqttClient,
    OutcomeUnknownError,
    PortError,
    Reconnect,
    SimcomError,
    SimcomMqtt,
    Stats,
)
from simcom_mqtt.simulator import SimulatedModem
from simcom_mqtt.types import QoS

T = TypeVar("T")

COMMAND_TIMEOUT: Final = 1.0
OPERATION_TIMEOUT: Final = 3.0
LONGEST_CALL: Final = 20.0
SETTLED_WITHIN: Final = 10.0
LONGEST_START: Final = 14.0
"""Seconds that a START without its OK takes; no other command is written meanwhile."""
ANSWERING_WITHIN: Final = LONGEST_START + SETTLED_WITHIN
CONNECTED_WITHIN: Final = LONGEST_START + ANSWERING_WITHIN
SEQUENCES: Final = itertools.count()


class ModuleBench:
    """A fresh module and its driver. `close_and_check` returns all problems."""

    def __init__(self, host: BenchHost, profile: str, seed: int | None, reconnect: Reconnect | None) -> None:
        self.host = host
        self.reconnect = reconnect
        self.number = next(SEQUENCES)
        self.problems: list[str] = []
        self.clients: dict[int, MqttClient] = {}
        self._reconnecting: set[int] = set()
        """Indices of the clients that the driver reconnects."""
        self.fault_free = True
        """True if no fault was injected since the last `settle`."""
        self.log: list[str] = []
        self._changed = threading.Condition()
        self._inbound_log = InboundLog()
        self._outcomes: list[PublishOutcome] = []
        self._futures: dict[MessageId, Future[None]] = {}
        self._late: list[Future[None]] = []
        self._past: list[Stats] = []
        self._delivered = 0
        self._reported = 0
        self.simulator = SimulatedModem(broker=f"127.0.0.1:{host.port}", profile=profile, seed=seed)
        self._line_tap = LineTap(self.simulator, host.register.read)
        self.modem = self._open()

    def url(self) -> str:
        """Returns the URL of the broker."""
        return f"mqtt://127.0.0.1:{self.host.port}"

    def note(self, text: str) -> None:
        """Adds a line to the log that a failure prints."""
        self.log.append(text)

    def attempt(self, name: str, call: Callable[[], T], *, must_work: bool = False) -> T | None:
        """Makes a call that may raise one of the package's errors, but no other error, and must not hang."""
        began = monotonic()
        error: BaseException | None = None
        result = None
        try:
            result = call()
        except SimcomError as raised:
            error = raised
        took = monotonic() - began
        self.note(f"{name}: {took:.2f} s, {result if error is None else repr(error)}")
        if took > LONGEST_CALL:
            self.problems.append(f"{name} took {took:.1f} s")
        if must_work and error is not None:
            self.problems.append(f"{name} failed, although no fault was injected: {error!r}")
        return result

    def connect(self, index: int) -> None:
        """Connects and subscribes the client if it is not connected."""
        client = self.clients.get(index)
        if client is not None and client.is_connected():
            return
        if client is not None:
            self.stop_reconnecting(index)
            self.attempt(f"release client {index}", client.release)
            if self._is_acquired(index):
                return
            del self.clients[index]
        must_work = self.fault_free

        def connect() -> MqttClient:
            return self.modem.connect(
                self.url(),
                client_id=f"line-{self.number}-{index}",
                index=index,  # type: ignore[arg-type]
                keepalive=600,
                reconnect=self.reconnect,
                timeout=OPERATION_TIMEOUT,
            )

        client = self.attempt(f"connect client {index}", connect, must_work=must_work)
        if client is None:
            return
        self.clients[index] = client
        if self.reconnect is not None:
            self._reconnecting.add(index)

        def subscribe() -> None:
            client.subscribe(self.down_filter(index), 1, timeout=OPERATION_TIMEOUT)

        self.attempt(f"subscribe client {index}", subscribe, must_work=must_work)

    def _is_acquired(self, index: int) -> bool:
        """Returns True if the module still has the client: a release can fail for several reasons."""
        acquired = self.attempt("clients", lambda: self.modem.clients())
        return any(client.index == index for client in acquired or [])

    # --- publishing -------------------------------------------------------------------------------

    def publish(self, index: int, end: str, payload: bytes, qos: QoS) -> None:
        """Publishes, waits, and records the outcome."""
        client = self.clients[index]
        sent = self.host.register.make("up", self.number, index, end, payload)
        must_work = self.fault_free and client.is_connected()
        error: BaseException | None = None
        began = monotonic()
        try:
            client.publish(sent.topic, payload, qos, timeout=OPERATION_TIMEOUT)
        except SimcomError as raised:
            error = raised
        self._record_outcome(sent, qos, error)
        self.note(f"publish {sent.message_id.number} at QoS {qos}: {monotonic() - began:.2f} s, {error!r}")
        if must_work and error is not None:
            self.problems.append(
                f"publish {sent.message_id.number} failed, although no fault was injected: {error!r}"
            )

    def publish_nowait(self, index: int, payload: bytes, qos: QoS) -> None:
        """Queues a publish; `settle` waits for its outcome."""
        sent = self.host.register.make("up", self.number, index, "", payload)
        try:
            future = self.clients[index].publish_nowait(sent.topic, payload, qos, timeout=OPERATION_TIMEOUT)
        except SimcomError as error:
            self._record_outcome(sent, qos, error)
            self.note(f"publish_nowait {sent.message_id.number}: {error!r}")
            return
        self.note(f"publish_nowait {sent.message_id.number} at QoS {qos}")
        self._futures[sent.message_id] = future
        future.add_done_callback(lambda done: self._record_outcome(sent, qos, done.exception()))

    def _record_outcome(self, sent: SentMessage, qos: int, error: BaseException | None) -> None:
        with self._changed:
            self._outcomes.append(PublishOutcome(sent.message_id, qos, "any", error))
            self._futures.pop(sent.message_id, None)
            if isinstance(error, OutcomeUnknownError):
                self._late.append(error.late)
            self._changed.notify_all()

    # --- receiving --------------------------------------------------------------------------------

    def send_to_module(self, index: int, end: str, payload: bytes, qos: int) -> None:
        """Publishes a message to a client of the module."""
        sent = self.host.register.make("down", self.number, index, end, payload)
        self.host.send(sent, qos)
        self.note(f"down {sent.message_id.number} to client {index}, {len(payload)} bytes")

    def down_filter(self, index: int) -> str:
        """Returns the topic filter that a client subscribes to."""
        return f"line/down/{self.number}/{index}/#"

    def _on_message(self, message: Message) -> None:
        topic, payload = message.topic_bytes, message.payload
        message_id = self.host.register.read(topic, payload)
        with self._changed:
            self._delivered += 1
            self._inbound_log.deliver(message_id, topic, payload)
            self._changed.notify_all()

    def _on_message_lost(self, _index: int | None, reason: str) -> None:
        with self._changed:
            self._reported += 1
            self._inbound_log.reports.append(reason)
            self._changed.notify_all()

    # --- recovery ---------------------------------------------------------------------------

    def clear_faults_and_settle(self) -> None:
        """Removes all faults and waits until their effects have ended."""
        self.note("faults removed")
        self.simulator._loop.call(self.simulator._module.faults.clear)
        self.simulator._loop.call(self._line_tap.cancel_cut)
        self.settle()
        self._wait_for(self._answers, "answering", ANSWERING_WITHIN)

    def check_publish_and_echo(self) -> None:
        """Checks that the bench works: a connection, a publish, an echo."""
        index = 0
        self._wait_for(lambda: self._is_connected_after_trying(index), "connected", CONNECTED_WITHIN)
        self.settle()
        self.fault_free = True
        self.publish(index, "", b"clean", 1)
        delivered = self._delivered
        self.attempt(
            "subscribe", lambda: self.clients[index].subscribe(self.down_filter(index), 1), must_work=True
        )
        self.send_to_module(index, "", b"echo", 1)
        self._wait_for(lambda: self._delivered > delivered, "hearing the echo")

    def _answers(self) -> bool:
        if not self._reconnects() and self._has_noticed_port_loss():
            self.reopen()
        return self.attempt("AT", lambda: self.modem.command("AT")) is not None

    def _is_connected_after_trying(self, index: int) -> bool:
        client = self.clients.get(index)
        if client is not None and client.is_connected():
            state = self.attempt("query", client.query)
            if state is not None and state.connected:
                return True
            # The answer to a disconnect was lost: only the module knows that it disconnected.
            self.stop_reconnecting(index)
            self.attempt(f"disconnect client {index}", client.disconnect)
            self.clients.pop(index)
        self.connect(index)
        return False

    # --- faults on module and driver ---------------------------------------------------------------

    def stray(self, raw: bytes) -> None:
        """Puts bytes on the line between two commands."""
        self._wait_for_publishes()
        self._wait_for(self._has_read_all, "reading all output")
        self.note(f"stray {raw!r}")
        self.simulator.inject(raw)
        self._wait_for(self._has_read_all, "reading all output")

    def cut_next_message(self, fault: str, share: float) -> None:
        """Cuts the next message short by this fault."""
        self.note(f"{fault} at {share} of the next message")
        self.fault_free = False
        self.simulator._loop.call(lambda: self._line_tap.cut_next(fault, share))

    def plug(self) -> None:
        """Plugs the port in again once the driver knows that it is lost."""
        self._wait_for(self._has_noticed_port_loss, "aware that its port is lost")
        read = self._bytes_read()
        self.simulator._loop.call(lambda: self._line_tap.forget_unread(read))
        self.simulator.plug()

    def stop_reconnecting(self, index: int) -> None:
        """Records that the driver does not reconnect this client any more."""
        self._reconnecting.discard(index)

    def reopen(self) -> None:
        """Opens the port again if the driver does not do that itself."""
        if self._reconnects():
            return
        self._close()
        self.clients.clear()
        self.modem = self._open()

    def _has_noticed_port_loss(self) -> bool:
        if self._reconnects():
            return not any(self.clients[index].is_connected() for index in self._reconnecting)
        try:
            self.modem.command("AT", timeout=0.2)
        except (PortError, ConnectionLostError):
            return True
        except SimcomError:
            return False
        return False

    def _reconnects(self) -> bool:
        """Returns True if the driver reconnects a client."""
        return bool(self._reconnecting)

    # --- message log ------------------------------------------------------------------------------

    def settle(self) -> None:
        """Waits until all publishes and messages have an outcome, and checks them."""
        self._wait_for_publishes()
        self._wait_for(self._has_read_all, "reading all output")
        blocks = self.simulator._loop.call(self._line_tap.blocks)
        fault_free = self.fault_free
        with self._changed:
            self._inbound_log.expect(blocks)
            self._changed.wait_for(self._inbound_log.is_settled, SETTLED_WITHIN)
            if fault_free and self._inbound_log.reports:
                self.problems.append(
                    f"reported lost, although no fault was injected: {self._inbound_log.reports}"
                )
            self.problems += self._inbound_log.settle(FaultCounts())

    def close_and_check(self) -> list[str]:
        """Closes everything and returns all problems."""
        try:
            self.settle()
        finally:
            self._close()
            self.simulator.close()
        self.problems += [
            f"a late result is open after close(): {late}" for late in self._late if not late.done()
        ]
        self._check_publishes()
        self._check_stats()
        return self.problems

    def _check_publishes(self) -> None:
        published: dict[MessageId, list[Published]] = defaultdict(list)
        for publish in self._line_tap.published():
            if publish.message_id is None:
                self.problems.append(f"the module sent a message that was never published: {publish}")
            else:
                published[publish.message_id].append(publish)
        done = {outcome.message_id for outcome in self._outcomes if outcome.error is None and outcome.qos > 0}
        self.host.wait_for(done)
        rows: CountsByFault = defaultdict(FaultCounts)
        self.problems += settle_outbound(self._outcomes, self.host.seen, published, rows)
        for outcome in self._outcomes:
            handed_over = published.get(outcome.message_id, [])
            if handed_over and isinstance(outcome.error, CERTAINLY_NOT_SENT):
                self.problems.append(f"reported as not sent, but handed over: {outcome}")
            if outcome.error is None and not handed_over:
                self.problems.append(f"reported as done, but not handed over: {outcome}")
            if len(handed_over) > 1 and (self.reconnect is None or outcome.qos != 1):
                self.problems.append(f"handed over {len(handed_over)} times: {outcome}")
        self.problems += [f"seen, but never sent: {unexpected}" for unexpected in self.host.unexpected]
        self.host.unexpected.clear()

    def _check_stats(self) -> None:
        def total(name: str) -> int:
            return sum(getattr(stats, name) for stats in self._past)

        done = sum(outcome.error is None for outcome in self._outcomes)
        late = sum(future.done() and future.exception() is None for future in self._late)
        expected = {
            "dropped_messages": 0,
            "publishes": done + late,
        }
        for name, reported in (("messages", self._delivered), ("damaged_messages", self._reported)):
            if total(name) < reported or (total(name) > reported and not self._line_tap.unrecorded):
                self.problems.append(f"stats.{name} is {total(name)}, not {reported}")
        for name, value in expected.items():
            if total(name) != value:
                self.problems.append(f"stats.{name} is {total(name)}, not {value}")

    # --- the driver -------------------------------------------------------------------------------

    def _open(self) -> SimcomMqtt:
        # Messages that arrive before the callbacks are set are not counted.
        self.simulator._loop.call(lambda: self._line_tap.pause(True))
        modem = SimcomMqtt(self.simulator.port, command_timeout=COMMAND_TIMEOUT)
        modem.on_message = self._on_message
        modem.on_message_lost = self._on_message_lost
        self.simulator._loop.call(lambda: self._line_tap.pause(False))
        return modem

    def _close(self) -> None:
        self.modem.close()
        self._past.append(self.modem.stats)
        self.problems += [f"a callback raised {error!r}" for error in self.modem.callback_errors]

    def _bytes_read(self) -> int:
        return sum(stats.bytes_in for stats in self._past) + self.modem.stats.bytes_in

    def _has_read_all(self) -> bool:
        waiting, sent = self.simulator._loop.call(
            lambda: (self.simulator._line.waiting, self._line_tap.bytes_sent())
        )
        return not waiting and self._bytes_read() == sent

    def _wait_for_publishes(self) -> None:
        """Waits until every publish has ended; the timeout of each starts with its turn."""
        within = SETTLED_WITHIN + len(self._futures) * (OPERATION_TIMEOUT + SETTLED_WITHIN / 2)
        self._wait_for(lambda: not self._futures, "done with its publishes", within)

    def _wait_for(self, condition: Callable[[], Any], state: str, within: float = SETTLED_WITHIN) -> None:
        deadline = monotonic() + within
        while not condition():
            if monotonic() > deadline:
                raise AssertionError(f"the bench is not {state} within {within} s")
            with self._changed:
                self._changed.wait(0.005)
