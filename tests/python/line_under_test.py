"""A driver on a simulated module, and the account of every message both ways, for random sequences."""

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Any, Final, TypeVar

from line_messages import Sent
from line_world import World
from rig.ledger import SURELY_NOT_SENT, Arrivals, Outcome, Row, Rows, settle_outbound
from rig.marks import Mark
from rig.tap import Published, Tap
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
"""What one without its OK costs, and nothing else is written meanwhile."""
ANSWERING_WITHIN: Final = LONGEST_START + SETTLED_WITHIN
CONNECTED_WITHIN: Final = LONGEST_START + ANSWERING_WITHIN
SEQUENCES: Final = itertools.count()


class LineUnderTest:
    """One module and its driver, from the box on; `end` says what must not be."""

    def __init__(self, world: World, profile: str, seed: int | None, reconnect: Reconnect | None) -> None:
        self.world = world
        self.reconnect = reconnect
        self.number = next(SEQUENCES)
        self.complaints: list[str] = []
        self.clients: dict[int, MqttClient] = {}
        self._kept: set[int] = set()
        """Those that the driver was asked to bring back."""
        self.calm = True
        """Nothing that may spoil anything was done since all was last settled."""
        self.log: list[str] = []
        self._changed = threading.Condition()
        self._arrivals = Arrivals()
        self._outcomes: list[Outcome] = []
        self._futures: dict[Mark, Future[None]] = {}
        self._late: list[Future[None]] = []
        self._past: list[Stats] = []
        self._delivered = 0
        self._reported = 0
        self.simulator = SimulatedModem(broker=f"127.0.0.1:{world.port}", profile=profile, seed=seed)
        self._tap = Tap(self.simulator, world.register.read)
        self.modem = self._open()

    def url(self) -> str:
        """The broker's."""
        return f"mqtt://127.0.0.1:{self.world.port}"

    def note(self, what: str) -> None:
        """For whoever reads of a failure."""
        self.log.append(what)

    def attempt(self, what: str, call: Callable[[], T], *, must_work: bool = False) -> T | None:
        """Make a call that may fail as the package's errors say, but not hang nor raise anything else."""
        began = monotonic()
        error: BaseException | None = None
        result = None
        try:
            result = call()
        except SimcomError as raised:
            error = raised
        took = monotonic() - began
        self.note(f"{what}: {took:.2f} s, {result if error is None else repr(error)}")
        if took > LONGEST_CALL:
            self.complaints.append(f"{what} took {took:.1f} s")
        if must_work and error is not None:
            self.complaints.append(f"{what} failed, though nothing was wrong: {error!r}")
        return result

    def connect(self, index: int) -> None:
        """Have a client that is connected and subscribed, whatever was before."""
        client = self.clients.get(index)
        if client is not None and client.is_connected():
            return
        if client is not None:
            self.take_down(index)
            self.attempt(f"release client {index}", client.release)
            if self._is_acquired(index):
                return
            del self.clients[index]
        must_work = self.calm

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
            self._kept.add(index)

        def subscribe() -> None:
            client.subscribe(self.down_filter(index), 1, timeout=OPERATION_TIMEOUT)

        self.attempt(f"subscribe client {index}", subscribe, must_work=must_work)

    def _is_acquired(self, index: int) -> bool:
        """A release that failed may have failed for another reason than that there is nothing to release."""
        acquired = self.attempt("clients", lambda: self.modem.clients())
        return any(client.index == index for client in acquired or [])

    # --- publishing -------------------------------------------------------------------------------

    def publish(self, index: int, end: str, payload: bytes, qos: QoS) -> None:
        """Publish, wait, and enter the outcome into the account."""
        client = self.clients[index]
        sent = self.world.register.make("up", self.number, index, end, payload)
        must_work = self.calm and client.is_connected()
        error: BaseException | None = None
        began = monotonic()
        try:
            client.publish(sent.topic, payload, qos, timeout=OPERATION_TIMEOUT)
        except SimcomError as raised:
            error = raised
        self._ended(sent, qos, error)
        self.note(f"publish {sent.mark.number} at QoS {qos}: {monotonic() - began:.2f} s, {error!r}")
        if must_work and error is not None:
            self.complaints.append(f"publish {sent.mark.number} failed, though nothing was wrong: {error!r}")

    def publish_nowait(self, index: int, payload: bytes, qos: QoS) -> None:
        """Queue a publish; `settle` waits for its end."""
        sent = self.world.register.make("up", self.number, index, "", payload)
        try:
            future = self.clients[index].publish_nowait(sent.topic, payload, qos, timeout=OPERATION_TIMEOUT)
        except SimcomError as error:
            self._ended(sent, qos, error)
            self.note(f"publish_nowait {sent.mark.number}: {error!r}")
            return
        self.note(f"publish_nowait {sent.mark.number} at QoS {qos}")
        self._futures[sent.mark] = future
        future.add_done_callback(lambda done: self._ended(sent, qos, done.exception()))

    def _ended(self, sent: Sent, qos: int, error: BaseException | None) -> None:
        with self._changed:
            self._outcomes.append(Outcome(sent.mark, qos, "any", error))
            self._futures.pop(sent.mark, None)
            if isinstance(error, OutcomeUnknownError):
                self._late.append(error.late)
            self._changed.notify_all()

    # --- receiving --------------------------------------------------------------------------------

    def send_down(self, index: int, end: str, payload: bytes, qos: int) -> None:
        """Have the broker deliver a message to a client of the module."""
        sent = self.world.register.make("down", self.number, index, end, payload)
        self.world.send(sent, qos)
        self.note(f"down {sent.mark.number} to client {index}, {len(payload)} bytes")

    def down_filter(self, index: int) -> str:
        """What a client subscribes to."""
        return f"line/down/{self.number}/{index}/#"

    def _on_message(self, message: Message) -> None:
        topic, payload = message.topic_bytes, message.payload
        mark = self.world.register.read(topic, payload)
        with self._changed:
            self._delivered += 1
            self._arrivals.deliver(mark, topic, payload)
            self._changed.notify_all()

    def _on_message_lost(self, _index: int | None, why: str) -> None:
        with self._changed:
            self._reported += 1
            self._arrivals.reports.append(why)
            self._changed.notify_all()

    # --- coming to rest ---------------------------------------------------------------------------

    def come_back_to_rest(self) -> None:
        """End all faults, and all that they led to."""
        self.note("now without faults")
        self.simulator._loop.call(self.simulator._module.faults.clear)
        self.simulator._loop.call(self._tap.cut_nothing)
        self.settle()
        self._wait_for(self._answers, "answering", ANSWERING_WITHIN)

    def publish_and_hear(self) -> None:
        """The line works: a connection, a publish, an echo."""
        index = 0
        self._wait_for(lambda: self._is_connected_after_trying(index), "connected", CONNECTED_WITHIN)
        self.settle()
        self.calm = True
        self.publish(index, "", b"clean", 1)
        delivered = self._delivered
        self.attempt(
            "subscribe", lambda: self.clients[index].subscribe(self.down_filter(index), 1), must_work=True
        )
        self.send_down(index, "", b"echo", 1)
        self._wait_for(lambda: self._delivered > delivered, "hearing the echo")

    def _answers(self) -> bool:
        if not self._is_kept() and self._knows_that_the_port_is_away():
            self.revive()
        return self.attempt("AT", lambda: self.modem.command("AT")) is not None

    def _is_connected_after_trying(self, index: int) -> bool:
        client = self.clients.get(index)
        if client is not None and client.is_connected():
            state = self.attempt("query", client.query)
            if state is not None and state.connected:
                return True
            # A disconnect whose answer was lost: only the module knows of it.
            self.take_down(index)
            self.attempt(f"disconnect client {index}", client.disconnect)
            self.clients.pop(index)
        self.connect(index)
        return False

    # --- faults that need two sides ---------------------------------------------------------------

    def stray(self, raw: bytes) -> None:
        """Put bytes on the line while no command is under way and none is begun."""
        self._wait_for_publishes()
        self._wait_for(self._has_read_all, "reading all that was said")
        self.note(f"stray {raw!r}")
        self.simulator.inject(raw)
        self._wait_for(self._has_read_all, "reading all that was said")

    def cut(self, fault: str, share: float) -> None:
        """Have the next message be cut short by this."""
        self.note(f"{fault} at {share} of the next message")
        self.calm = False
        self.simulator._loop.call(lambda: self._tap.cut_next(fault, share))

    def plug(self) -> None:
        """Put the port back, once the driver knows that it was away."""
        self._wait_for(self._knows_that_the_port_is_away, "aware that its port is away")
        read = self._bytes_read()
        self.simulator._loop.call(lambda: self._tap.unread(read))
        self.simulator.plug()

    def take_down(self, index: int) -> None:
        """Whatever comes of it, the driver does not bring this client back any more."""
        self._kept.discard(index)

    def revive(self) -> None:
        """Open the port again where the driver does not do that itself."""
        if self._is_kept():
            return
        self._close()
        self.clients.clear()
        self.modem = self._open()

    def _knows_that_the_port_is_away(self) -> bool:
        if self._is_kept():
            return not any(self.clients[index].is_connected() for index in self._kept)
        try:
            self.modem.command("AT", timeout=0.2)
        except (PortError, ConnectionLostError):
            return True
        except SimcomError:
            return False
        return False

    def _is_kept(self) -> bool:
        """Whether the driver was asked to bring something back."""
        return bool(self._kept)

    # --- the account ------------------------------------------------------------------------------

    def settle(self) -> None:
        """Have all that is under way come to its end, and check it."""
        self._wait_for_publishes()
        self._wait_for(self._has_read_all, "reading all that was said")
        blocks = self.simulator._loop.call(self._tap.blocks)
        calm = self.calm
        with self._changed:
            self._arrivals.expect(blocks)
            self._changed.wait_for(self._arrivals.is_settled, SETTLED_WITHIN)
            if calm and self._arrivals.reports:
                self.complaints.append(f"reported lost, though nothing was wrong: {self._arrivals.reports}")
            self.complaints += self._arrivals.settle(Row())

    def end(self) -> list[str]:
        """Close everything; returns all that must not be."""
        try:
            self.settle()
        finally:
            self._close()
            self.simulator.close()
        self.complaints += [
            f"a late result is open after close(): {late}" for late in self._late if not late.done()
        ]
        self._check_publishes()
        self._check_stats()
        return self.complaints

    def _check_publishes(self) -> None:
        published: dict[Mark, list[Published]] = defaultdict(list)
        for publish in self._tap.published():
            if publish.mark is None:
                self.complaints.append(f"the module published what nobody gave it: {publish}")
            else:
                published[publish.mark].append(publish)
        done = {outcome.mark for outcome in self._outcomes if outcome.error is None and outcome.qos > 0}
        self.world.wait_for(done)
        rows: Rows = defaultdict(Row)
        self.complaints += settle_outbound(self._outcomes, self.world.seen, published, rows)
        for outcome in self._outcomes:
            handed_over = published.get(outcome.mark, [])
            if handed_over and isinstance(outcome.error, SURELY_NOT_SENT):
                self.complaints.append(f"said not to be sent, and handed over: {outcome}")
            if outcome.error is None and not handed_over:
                self.complaints.append(f"said to be done, and not handed over: {outcome}")
            if len(handed_over) > 1 and (self.reconnect is None or outcome.qos != 1):
                self.complaints.append(f"handed over {len(handed_over)} times: {outcome}")
        self.complaints += [f"seen, and nobody sent it: {strange}" for strange in self.world.strange]
        self.world.strange.clear()

    def _check_stats(self) -> None:
        def total(name: str) -> int:
            return sum(getattr(stats, name) for stats in self._past)

        done = sum(outcome.error is None for outcome in self._outcomes)
        late = sum(future.done() and future.exception() is None for future in self._late)
        expected = {
            "dropped_messages": 0,
            "publishes": done + late,
        }
        for name, told in (("messages", self._delivered), ("damaged_messages", self._reported)):
            if total(name) < told or (total(name) > told and not self._tap.unseen):
                self.complaints.append(f"stats.{name} is {total(name)}, not {told}")
        for name, value in expected.items():
            if total(name) != value:
                self.complaints.append(f"stats.{name} is {total(name)}, not {value}")

    # --- the driver -------------------------------------------------------------------------------

    def _open(self) -> SimcomMqtt:
        # What comes before there is a callback for it is nobody's.
        self.simulator._loop.call(lambda: self._tap.look_away(True))
        modem = SimcomMqtt(self.simulator.port, command_timeout=COMMAND_TIMEOUT)
        modem.on_message = self._on_message
        modem.on_message_lost = self._on_message_lost
        self.simulator._loop.call(lambda: self._tap.look_away(False))
        return modem

    def _close(self) -> None:
        self.modem.close()
        self._past.append(self.modem.stats)
        self.complaints += [f"a callback raised {error!r}" for error in self.modem.callback_errors]

    def _bytes_read(self) -> int:
        return sum(stats.bytes_in for stats in self._past) + self.modem.stats.bytes_in

    def _has_read_all(self) -> bool:
        waiting, sent = self.simulator._loop.call(
            lambda: (self.simulator._line.waiting, self._tap.bytes_sent())
        )
        return not waiting and self._bytes_read() == sent

    def _wait_for_publishes(self) -> None:
        """Each has its time from its turn on."""
        within = SETTLED_WITHIN + len(self._futures) * (OPERATION_TIMEOUT + SETTLED_WITHIN / 2)
        self._wait_for(lambda: not self._futures, "ending its publishes", within)

    def _wait_for(self, condition: Callable[[], Any], what: str, within: float = SETTLED_WITHIN) -> None:
        deadline = monotonic() + within
        while not condition():
            if monotonic() > deadline:
                raise AssertionError(f"the line is not {what} within {within} s")
            with self._changed:
                self._changed.wait(0.005)
