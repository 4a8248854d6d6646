"""Random sequences of commands, messages and faults against a model of what may come of them.

Hypothesis makes the sequences up. The normal run plays the same few each time; a deep one is
`SIMCOM_MQTT_SEQUENCES=1000 python -m pytest tests/python/test_state_machine.py --timeout 0`.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from line_messages import LARGEST_RECEIVED, LARGEST_SENT, PAYLOADS, TOPIC_ENDS, large_payload
from line_under_test import COMMAND_TIMEOUT, OPERATION_TIMEOUT, LineUnderTest
from line_world import World
from mosquitto_broker import MosquittoBroker
from rig.faults import FOREIGN_LINES
from simcom_mqtt import MqttClient, Reconnect
from simcom_mqtt.simulator import PROFILES
from simcom_mqtt.simulator.faults import GAPS, STAGES

SEQUENCES = int(os.environ.get("SIMCOM_MQTT_SEQUENCES", "0"))
"""How many to play in each test; 0: the few of the normal run."""
FEW = 6

CLIENTS = st.integers(0, 1)
QOS = st.integers(0, 2)
STRAYS = (b"\r\nOK\r\n", b"\r\nERROR\r\n", b"\r\n>", b"\r\n+CME ERROR: 3\r\n", b"\r\nRDY\r\n", b"\r\n\r\n")
GARBAGE = (b"\x00\xff\xfe", b"garbage", b"\r\n+CMQTTRXEND: 0\r\n", b"\r\n+CMQTTRXPAYLOAD: 1,5\r\n12345\r\n")
COMMANDS = (
    "AT",
    "AT+CSQ",
    "AT+CPSI?",
    "AT+CGMM",
    "AT+CMQTTDISC?",
    "AT+CMQTTPUB=?",
    "AT+NOSUCH",
    "AT+CMQTTACCQ?",
)
FAILING = (
    "CMQTTSTART", "CMQTTACCQ", "CMQTTCONNECT", "CMQTTDISC", "CMQTTREL", "CMQTTTOPIC", "CMQTTPAYLOAD",
    "CMQTTPUB",
    "CMQTTSUB", "CMQTTUNSUB", "CMQTTWILLTOPIC", "CMQTTWILLMSG", "CMQTTCFG", "CSQ",
)  # fmt: skip
ANSWERED = (*FAILING, *FAILING, "CMQTTDISC=?", "CMQTTREL?", "CMQTTCONNECT?", "CMQTTSUB?")
CODES = (None, 1, 6, 11, 14, 16, 17, 19, 20, 24)


class LineMachine(RuleBasedStateMachine):
    """One sequence."""

    def __init__(self, world: World, profile: str, reconnect: Reconnect | None) -> None:
        super().__init__()
        self._world = world
        self._profile = profile
        self._reconnect = reconnect
        self._line: LineUnderTest | None = None

    @property
    def line(self) -> LineUnderTest:
        assert self._line is not None
        return self._line

    @initialize(seed=st.none() | st.integers(0, 99), connected=st.sampled_from([(0,), (0, 1), (1,)]))
    def open(self, seed: int | None, connected: tuple[int, ...]) -> None:
        self._line = LineUnderTest(self._world, self._profile, seed, self._reconnect)
        for index in connected:
            self._connect(index)

    def teardown(self) -> None:
        if self._line is None:
            return
        line, self._line = self._line, None
        try:
            try:
                line.come_back_to_rest()
                line.publish_and_hear()
            finally:
                complaints = line.end()
            assert not complaints, "\n".join(complaints)
        except AssertionError as error:
            error.add_note("\n".join(line.log))
            raise

    def has_client(self) -> bool:
        return self._line is not None and bool(self._line.clients)

    # --- the driver -------------------------------------------------------------------------------

    @rule(index=CLIENTS)
    def connect(self, index: int) -> None:
        self._connect(index)

    def _connect(self, index: int) -> None:
        self.line.connect(index)

    @rule(index=CLIENTS, payload=st.binary(min_size=1, max_size=30), qos=QOS)
    def acquire_with_a_will(self, index: int, payload: bytes, qos: Any) -> None:
        if index in self.line.clients:
            return
        client = self.line.attempt("acquire", lambda: self._acquired(index))
        if client is None:
            return
        self.line.clients[index] = client
        self.line.attempt("set_will", lambda: client.set_will(f"line/will/{index}", payload, qos))
        self.line.attempt("connect", lambda: client.connect(self.line.url(), timeout=OPERATION_TIMEOUT))

    def _acquired(self, index: Any) -> MqttClient:
        if not self.line.modem.is_started():
            self.line.modem.start()
        return self.line.modem.acquire(f"line-{self.line.number}-{index}", index)

    @precondition(has_client)
    @rule(index=CLIENTS, qos=QOS)
    def subscribe(self, index: int, qos: Any) -> None:
        self._with(index, "subscribe", lambda client: client.subscribe(
            self.line.down_filter(index), qos, timeout=OPERATION_TIMEOUT
        ))  # fmt: skip

    @precondition(has_client)
    @rule(index=CLIENTS)
    def unsubscribe(self, index: int) -> None:
        self._with(index, "unsubscribe", lambda client: client.unsubscribe(
            self.line.down_filter(index), timeout=OPERATION_TIMEOUT
        ))  # fmt: skip

    @precondition(has_client)
    @rule(index=CLIENTS, end=st.sampled_from(sorted(TOPIC_ENDS)), payload=PAYLOADS, qos=QOS)
    def publish(self, index: int, end: str, payload: bytes, qos: Any) -> None:
        if index in self.line.clients:
            self.line.publish(index, TOPIC_ENDS[end], payload, qos)

    @precondition(has_client)
    @rule(index=CLIENTS, qos=QOS)
    def publish_nothing(self, index: int, qos: Any) -> None:
        if index in self.line.clients:
            self.line.publish(index, "", b"", qos)

    @precondition(has_client)
    @rule(index=CLIENTS, size=st.integers(1000, LARGEST_SENT), qos=QOS)
    def publish_much(self, index: int, size: int, qos: Any) -> None:
        if index in self.line.clients:
            self.line.publish(index, "", large_payload(size), qos)

    @precondition(has_client)
    @rule(index=CLIENTS, several=st.lists(st.tuples(PAYLOADS, QOS), min_size=1, max_size=6))
    def publish_nowait(self, index: int, several: list[tuple[bytes, Any]]) -> None:
        if index in self.line.clients:
            for payload, qos in several:
                self.line.publish_nowait(index, payload, qos)

    @precondition(has_client)
    @rule(index=CLIENTS)
    def disconnect(self, index: int) -> None:
        self.line.take_down(index)
        self._with(index, "disconnect", lambda client: client.disconnect(timeout=OPERATION_TIMEOUT))

    @precondition(has_client)
    @rule(index=CLIENTS)
    def release(self, index: int) -> None:
        self.line.take_down(index)
        self._with(index, "release", lambda client: client.release())

    @rule(command=st.sampled_from(COMMANDS))
    def command(self, command: str) -> None:
        self.line.attempt(command, lambda: self.line.modem.command(command))

    @precondition(has_client)
    @rule(index=CLIENTS)
    def query(self, index: int) -> None:
        self._with(index, "query", lambda client: client.query())

    @rule()
    def ask_for_topics(self) -> None:
        self.line.attempt("subscribed_topics", lambda: self.line.modem.subscribed_topics())

    def _with(self, index: int, what: str, call: Callable[[MqttClient], object]) -> None:
        client = self.line.clients.get(index)
        if client is not None:
            self.line.attempt(f"{what} of client {index}", lambda: call(client))

    # --- the network ------------------------------------------------------------------------------

    @rule(index=CLIENTS, end=st.sampled_from(sorted(TOPIC_ENDS)), payload=PAYLOADS, qos=QOS)
    def message(self, index: int, end: str, payload: bytes, qos: int) -> None:
        self.line.send_down(index, TOPIC_ENDS[end], payload, qos)

    @rule(index=CLIENTS, several=st.lists(PAYLOADS, min_size=2, max_size=8))
    def messages(self, index: int, several: list[bytes]) -> None:
        for payload in several:
            self.line.send_down(index, "", payload, 0)

    @rule(index=CLIENTS, size=st.integers(1400, LARGEST_RECEIVED))
    def large_message(self, index: int, size: int) -> None:
        self.line.send_down(index, "", large_payload(size), 1)

    @rule()
    def settle(self) -> None:
        self.line.settle()

    # --- faults -----------------------------------------------------------------------------------

    @rule(gap=st.sampled_from(GAPS), line=st.sampled_from(FOREIGN_LINES))
    def foreign_line(self, gap: Any, line: str) -> None:
        """No fault at all: everything goes on as if it were not there."""
        self.line.note(f"{line} {gap}")
        self.line.simulator.inject_at(gap, f"\r\n{line}\r\n".encode())

    @rule(stray=st.sampled_from(STRAYS))
    def stray(self, stray: bytes) -> None:
        """Between two commands, where it is nobody's."""
        self.line.stray(stray)

    @rule(garbage=st.sampled_from(GARBAGE) | st.binary(min_size=1, max_size=20))
    def garbage(self, garbage: bytes) -> None:
        self._strike("inject", garbage)

    @rule(garbage=st.sampled_from(GARBAGE))
    def garbage_within_a_message(self, garbage: bytes) -> None:
        self._strike("inject_at", "between_parts", garbage)

    @rule(
        kind=st.sampled_from(["drop", "flip", "add"]), offset=st.integers(-40, 160), count=st.integers(1, 4)
    )
    def damage(self, kind: str, offset: int, count: int) -> None:
        self._strike("damage_next", kind, offset, count)

    @rule(command=st.sampled_from(ANSWERED), stage=st.sampled_from(STAGES))
    def mute(self, command: str, stage: str) -> None:
        self._strike("mute_next", command, stage)

    @rule(
        command=st.sampled_from(ANSWERED),
        seconds=st.sampled_from([0.05, 0.3, COMMAND_TIMEOUT + 0.3]),
        stage=st.sampled_from(STAGES),
    )
    def delay(self, command: str, seconds: float, stage: str) -> None:
        self._strike("delay_next", command, seconds, stage)

    @rule(command=st.sampled_from(FAILING), code=st.sampled_from(CODES))
    def fail(self, command: str, code: int | None) -> None:
        self._strike("fail_next", command, code)

    @rule(index=CLIENTS, cause=st.integers(1, 3))
    def drop_connection(self, index: int, cause: int) -> None:
        self._strike("drop_connection", index, cause)

    @rule()
    def lose_network(self) -> None:
        self._strike("lose_network")
        self._strike("restore_network")

    @rule()
    def reboot(self) -> None:
        self._strike("reboot")

    @rule(share=st.floats(0, 1))
    def reboot_within_a_message(self, share: float) -> None:
        self.line.cut("reboot", share)

    @rule()
    def unplug(self) -> None:
        self._strike("unplug")
        self.line.plug()
        self.line.revive()

    def _strike(self, fault: str, *arguments: object) -> None:
        self.line.note(f"{fault} {arguments}")
        self.line.calm = False
        getattr(self.line.simulator, fault)(*arguments)


@pytest.fixture(scope="module")
def world(mosquitto: MosquittoBroker) -> Iterator[World]:
    with World(mosquitto.plain) as world:
        yield world


@pytest.mark.parametrize(
    "reconnect", [None, Reconnect(min_delay=0.05, max_delay=0.2)], ids=["as it is", "reconnect"]
)
@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_lost_nothing_invented_always_back(
    world: World, profile: str, reconnect: Reconnect | None
) -> None:
    run_state_machine_as_test(
        lambda: LineMachine(world, profile, reconnect),  # type: ignore[arg-type]
        settings=settings(
            max_examples=SEQUENCES or FEW,
            stateful_step_count=12,
            derandomize=not SEQUENCES,
            deadline=None,
            database=None,
            print_blob=bool(SEQUENCES),
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
