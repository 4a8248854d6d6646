"""Random sequences of commands, messages and faults, checked against the allowed outcomes.

Hypothesis generates the sequences. The normal run plays the same few each time; a deep one is
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

from bench_host import BenchHost
from bench_messages import LARGEST_RECEIVED, LARGEST_SENT, PAYLOADS, TOPIC_ENDS, large_payload
from module_bench import COMMAND_TIMEOUT, OPERATION_TIMEOUT, ModuleBench
from mosquitto_broker import MosquittoBroker
from rig.faults import FOREIGN_LINES
from simcom_mqtt import MqttClient, Reconnect
from simcom_mqtt.simulator import PROFILES
from simcom_mqtt.simulator.faults import GAPS, STAGES

SEQUENCES = int(os.environ.get("SIMCOM_MQTT_SEQUENCES", "0"))
"""Number of sequences in each test; 0 means the few of the normal run."""
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


class BenchStateMachine(RuleBasedStateMachine):
    """One sequence."""

    def __init__(self, host: BenchHost, profile: str, reconnect: Reconnect | None) -> None:
        super().__init__()
        self._host = host
        self._profile = profile
        self._reconnect = reconnect
        self._bench: ModuleBench | None = None

    @property
    def bench(self) -> ModuleBench:
        assert self._bench is not None
        return self._bench

    @initialize(seed=st.none() | st.integers(0, 99), connected=st.sampled_from([(0,), (0, 1), (1,)]))
    def open(self, seed: int | None, connected: tuple[int, ...]) -> None:
        self._bench = ModuleBench(self._host, self._profile, seed, self._reconnect)
        for index in connected:
            self._connect(index)

    def teardown(self) -> None:
        if self._bench is None:
            return
        bench, self._bench = self._bench, None
        try:
            try:
                bench.clear_faults_and_settle()
                bench.check_publish_and_echo()
            finally:
                problems = bench.close_and_check()
            assert not problems, "\n".join(problems)
        except AssertionError as error:
            error.add_note("\n".join(bench.log))
            raise

    def has_client(self) -> bool:
        return self._bench is not None and bool(self._bench.clients)

    # --- the driver -------------------------------------------------------------------------------

    @rule(index=CLIENTS)
    def connect(self, index: int) -> None:
        self._connect(index)

    def _connect(self, index: int) -> None:
        self.bench.connect(index)

    @rule(index=CLIENTS, payload=st.binary(min_size=1, max_size=30), qos=QOS)
    def acquire_with_a_will(self, index: int, payload: bytes, qos: Any) -> None:
        if index in self.bench.clients:
            return
        client = self.bench.attempt("acquire", lambda: self._acquired(index))
        if client is None:
            return
        self.bench.clients[index] = client
        self.bench.attempt("set_will", lambda: client.set_will(f"line/will/{index}", payload, qos))
        self.bench.attempt("connect", lambda: client.connect(self.bench.url(), timeout=OPERATION_TIMEOUT))

    def _acquired(self, index: Any) -> MqttClient:
        if not self.bench.modem.is_started():
            self.bench.modem.start()
        return self.bench.modem.acquire(f"line-{self.bench.number}-{index}", index)

    @precondition(has_client)
    @rule(index=CLIENTS, qos=QOS)
    def subscribe(self, index: int, qos: Any) -> None:
        self._with(index, "subscribe", lambda client: client.subscribe(
            self.bench.down_filter(index), qos, timeout=OPERATION_TIMEOUT
        ))  # fmt: skip

    @precondition(has_client)
    @rule(index=CLIENTS)
    def unsubscribe(self, index: int) -> None:
        self._with(index, "unsubscribe", lambda client: client.unsubscribe(
            self.bench.down_filter(index), timeout=OPERATION_TIMEOUT
        ))  # fmt: skip

    @precondition(has_client)
    @rule(index=CLIENTS, end=st.sampled_from(sorted(TOPIC_ENDS)), payload=PAYLOADS, qos=QOS)
    def publish(self, index: int, end: str, payload: bytes, qos: Any) -> None:
        if index in self.bench.clients:
            self.bench.publish(index, TOPIC_ENDS[end], payload, qos)

    @precondition(has_client)
    @rule(index=CLIENTS, qos=QOS)
    def publish_nothing(self, index: int, qos: Any) -> None:
        if index in self.bench.clients:
            self.bench.publish(index, "", b"", qos)

    @precondition(has_client)
    @rule(index=CLIENTS, size=st.integers(1000, LARGEST_SENT), qos=QOS)
    def publish_much(self, index: int, size: int, qos: Any) -> None:
        if index in self.bench.clients:
            self.bench.publish(index, "", large_payload(size), qos)

    @precondition(has_client)
    @rule(index=CLIENTS, several=st.lists(st.tuples(PAYLOADS, QOS), min_size=1, max_size=6))
    def publish_nowait(self, index: int, several: list[tuple[bytes, Any]]) -> None:
        if index in self.bench.clients:
            for payload, qos in several:
                self.bench.publish_nowait(index, payload, qos)

    @precondition(has_client)
    @rule(index=CLIENTS)
    def disconnect(self, index: int) -> None:
        self.bench.stop_reconnecting(index)
        self._with(index, "disconnect", lambda client: client.disconnect(timeout=OPERATION_TIMEOUT))

    @precondition(has_client)
    @rule(index=CLIENTS)
    def release(self, index: int) -> None:
        self.bench.stop_reconnecting(index)
        self._with(index, "release", lambda client: client.release())

    @rule(command=st.sampled_from(COMMANDS))
    def command(self, command: str) -> None:
        self.bench.attempt(command, lambda: self.bench.modem.command(command))

    @precondition(has_client)
    @rule(index=CLIENTS)
    def query(self, index: int) -> None:
        self._with(index, "query", lambda client: client.query())

    @rule()
    def ask_for_topics(self) -> None:
        self.bench.attempt("subscribed_topics", lambda: self.bench.modem.subscribed_topics())

    def _with(self, index: int, name: str, call: Callable[[MqttClient], object]) -> None:
        client = self.bench.clients.get(index)
        if client is not None:
            self.bench.attempt(f"{name} of client {index}", lambda: call(client))

    # --- the network ------------------------------------------------------------------------------

    @rule(index=CLIENTS, end=st.sampled_from(sorted(TOPIC_ENDS)), payload=PAYLOADS, qos=QOS)
    def message(self, index: int, end: str, payload: bytes, qos: int) -> None:
        self.bench.send_to_module(index, TOPIC_ENDS[end], payload, qos)

    @rule(index=CLIENTS, several=st.lists(PAYLOADS, min_size=2, max_size=8))
    def messages(self, index: int, several: list[bytes]) -> None:
        for payload in several:
            self.bench.send_to_module(index, "", payload, 0)

    @rule(index=CLIENTS, size=st.integers(1400, LARGEST_RECEIVED))
    def large_message(self, index: int, size: int) -> None:
        self.bench.send_to_module(index, "", large_payload(size), 1)

    @rule()
    def settle(self) -> None:
        self.bench.settle()

    # --- faults -----------------------------------------------------------------------------------

    @rule(gap=st.sampled_from(GAPS), urc=st.sampled_from(FOREIGN_LINES))
    def foreign_line(self, gap: Any, urc: str) -> None:
        """Not a fault: everything must work as if the line were absent."""
        self.bench.note(f"{urc} {gap}")
        self.bench.simulator.inject_at(gap, f"\r\n{urc}\r\n".encode())

    @rule(stray=st.sampled_from(STRAYS))
    def stray(self, stray: bytes) -> None:
        """Bytes between two commands, which belong to no command."""
        self.bench.stray(stray)

    @rule(garbage=st.sampled_from(GARBAGE) | st.binary(min_size=1, max_size=20))
    def garbage(self, garbage: bytes) -> None:
        self._inject("inject", garbage)

    @rule(garbage=st.sampled_from(GARBAGE))
    def garbage_within_a_message(self, garbage: bytes) -> None:
        self._inject("inject_at", "between_parts", garbage)

    @rule(
        kind=st.sampled_from(["drop", "flip", "add"]), offset=st.integers(-40, 160), count=st.integers(1, 4)
    )
    def damage(self, kind: str, offset: int, count: int) -> None:
        self._inject("damage_next", kind, offset, count)

    @rule(command=st.sampled_from(ANSWERED), stage=st.sampled_from(STAGES))
    def mute(self, command: str, stage: str) -> None:
        self._inject("mute_next", command, stage)

    @rule(
        command=st.sampled_from(ANSWERED),
        seconds=st.sampled_from([0.05, 0.3, COMMAND_TIMEOUT + 0.3]),
        stage=st.sampled_from(STAGES),
    )
    def delay(self, command: str, seconds: float, stage: str) -> None:
        self._inject("delay_next", command, seconds, stage)

    @rule(command=st.sampled_from(FAILING), code=st.sampled_from(CODES))
    def fail(self, command: str, code: int | None) -> None:
        self._inject("fail_next", command, code)

    @rule(index=CLIENTS, cause=st.integers(1, 3))
    def drop_connection(self, index: int, cause: int) -> None:
        self._inject("drop_connection", index, cause)

    @rule()
    def lose_network(self) -> None:
        self._inject("lose_network")
        self._inject("restore_network")

    @rule()
    def reboot(self) -> None:
        self._inject("reboot")

    @rule(share=st.floats(0, 1))
    def reboot_within_a_message(self, share: float) -> None:
        self.bench.cut_next_message("reboot", share)

    @rule()
    def unplug(self) -> None:
        self._inject("unplug")
        self.bench.plug()
        self.bench.reopen()

    def _inject(self, fault: str, *arguments: object) -> None:
        self.bench.note(f"{fault} {arguments}")
        self.bench.fault_free = False
        getattr(self.bench.simulator, fault)(*arguments)


@pytest.fixture(scope="module")
def bench_host(mosquitto: MosquittoBroker) -> Iterator[BenchHost]:
    with BenchHost(mosquitto.plain) as host:
        yield host


@pytest.mark.parametrize(
    "reconnect", [None, Reconnect(min_delay=0.05, max_delay=0.2)], ids=["no reconnect", "reconnect"]
)
@pytest.mark.parametrize("profile", PROFILES)
def test_random_sequences_lose_nothing_and_recover(
    bench_host: BenchHost, profile: str, reconnect: Reconnect | None
) -> None:
    run_state_machine_as_test(
        lambda: BenchStateMachine(bench_host, profile, reconnect),  # type: ignore[arg-type]
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
