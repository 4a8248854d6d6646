"""Armed faults: each strikes once, and only its target."""

import os
import time

import pytest

from host_client import HostClient
from scripted_broker import PUBLISH, ScriptedBroker
from simcom_mqtt.simulator import PROFILES, SimulatedModem
from simulator.test_messages import publish, stage, subscribe
from simulator.wire import Wire

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
PUBLISHED = OK + b"\r\n+CMQTTPUB: 0,0\r\n"
MARK = b"\r\n+CGEV: ME PDN ACT 1\r\n"
BOOT = b"".join(b"\r\n%b\r\n" % line.encode() for line in PROFILES["sim767x"].boot_lines)


def test_inject_and_urc_send_at_once(module: SimulatedModem, wire: Wire) -> None:
    module.inject(b"\x00raw\r")
    module.urc("SMS DONE")
    wire.expect(b"\x00raw\r\r\nSMS DONE\r\n")
    wire.expect_nothing()


class TestInjectAt:
    def test_bytes_before_echo(self, module: SimulatedModem, wire: Wire) -> None:
        module.inject_at("before_echo", MARK)
        wire.ask(b"ATE1", MARK + OK)
        module.inject_at("before_echo", MARK)
        wire.ask(b"AT", MARK + b"AT\r" + OK)
        wire.ask(b"AT", b"AT\r" + OK)

    def test_bytes_between_echo_and_ok(self, module: SimulatedModem, fresh_wire: Wire) -> None:
        module.inject_at("echo_ok", MARK)
        fresh_wire.ask(b"AT", b"AT\r" + MARK + OK)
        module.inject_at("echo_ok", MARK)
        fresh_wire.ask(b"AT+CSQ", b"AT+CSQ\r" + MARK + b"\r\n+CSQ: 23,0\r\n" + OK)
        fresh_wire.ask(b"AT", b"AT\r" + OK)

    def test_bytes_between_ok_and_result(self, module: SimulatedModem, connected: Wire) -> None:
        stage(connected, b"t", b"p")
        module.inject_at("ok_urc", MARK)
        connected.ask(b"AT+CMQTTPUB=0,1,60", OK + MARK + b"\r\n+CMQTTPUB: 0,0\r\n")
        module.inject_at("ok_urc", MARK)
        connected.ask(b"AT+CMQTTPUB=0,1,60", b"\r\n+CMQTTPUB: 0,18\r\n" + MARK + ERROR)

    def test_bytes_around_prompt_and_after_data(self, module: SimulatedModem, connected: Wire) -> None:
        module.inject_at("before_prompt", b"1")
        module.inject_at("prompt_data", b"2")
        module.inject_at("data_ok", b"3")
        connected.ask(b"AT+CMQTTTOPIC=0,1", b"1\r\n>2")
        connected.send(b"t")
        connected.expect(b"3" + OK)
        connected.enter(b"AT+CMQTTTOPIC=0,1", b"t")

    def test_bytes_between_prompt_and_data_sent_early(self, module: SimulatedModem, connected: Wire) -> None:
        connected.ok(b"ATE1")
        module.inject_at("prompt_data", b"2")
        connected.send(b"AT+CMQTTTOPIC=0,1\rt")
        connected.expect(b"AT+CMQTTTOPIC=0,1\r\r\n>2t" + OK)

    def test_bytes_between_parts_of_message(
        self, module: SimulatedModem, connected: Wire, host: HostClient, base: str
    ) -> None:
        topic = base.encode()
        subscribe(connected, topic)
        module.inject_at("between_parts", MARK)
        for mark in (MARK, b""):
            host.publish(base, b"x")
            connected.expect(
                b"\r\n+CMQTTRXSTART: 0,%d,1\r\n+CMQTTRXTOPIC: 0,%d\r\n%b\r\n%b"
                b"+CMQTTRXPAYLOAD: 0,1\r\nx\r\n+CMQTTRXEND: 0\r\n" % (len(topic), len(topic), topic, mark)
            )

    def test_repeated_calls_add_up(self, module: SimulatedModem, wire: Wire) -> None:
        module.inject_at("echo_ok", b"1")
        module.inject_at("echo_ok", b"2")
        wire.ask(b"AT", b"12" + OK)
        wire.expect_nothing()

    def test_unknown_gap_is_refused(self, module: SimulatedModem) -> None:
        with pytest.raises(ValueError, match=r"gap must be one of before_echo, .*, not 'nowhere'"):
            module.inject_at("nowhere", b"")  # type: ignore[arg-type]


class TestFailNext:
    @pytest.mark.parametrize(
        ("command", "code", "line", "answer"),
        [
            ("CMQTTSTOP", 8, b"AT+CMQTTSTOP", b"\r\n+CMQTTSTOP: 8\r\n" + ERROR),
            ("CMQTTACCQ", 1, b'AT+CMQTTACCQ=1,"c"', b"\r\n+CMQTTACCQ: 1,1\r\n" + ERROR),
            ("CMQTTREL", 1, b"AT+CMQTTREL=0", b"\r\n+CMQTTREL: 0,1\r\n" + ERROR),
            ("CMQTTCFG", 1, b'AT+CMQTTCFG="version",0,4', ERROR),
            ("CMQTTTOPIC", 4, b"AT+CMQTTTOPIC=0,1", b"\r\n+CMQTTTOPIC: 0,4\r\n" + ERROR),
            ("CMQTTTOPIC", None, b"AT+CMQTTTOPIC=0,1", ERROR),
            ("CMQTTDISC", 35, b"AT+CMQTTDISC=0", OK + b"\r\n+CMQTTDISC: 0,35\r\n"),
            ("CMQTTSUB", 17, b"AT+CMQTTSUB=0,1,0\rt", b"\r\n>" + OK + b"\r\n+CMQTTSUB: 0,17\r\n"),
            ("CMQTTSUB", 17, b"AT+CMQTTSUB=0", OK + b"\r\n+CMQTTSUB: 0,17\r\n"),
            ("CMQTTUNSUB", 6, b"AT+CMQTTUNSUB=0,1,0\rt", b"\r\n>" + OK + b"\r\n+CMQTTUNSUB: 0,6\r\n"),
            ("CSQ", 100, b"AT+CSQ", b"\r\n+CME ERROR: 100\r\n"),
            ("CSQ", None, b"AT+CSQ", ERROR),
            ("AT", None, b"AT", ERROR),
            ("AT+CMQTTDISC?", None, b"AT+CMQTTDISC?", ERROR),
        ],
    )
    def test_only_next_command_fails(
        self,
        module: SimulatedModem,
        connected: Wire,
        command: str,
        code: int | None,
        line: bytes,
        answer: bytes,
    ) -> None:
        module.fail_next(command, code)
        connected.send(line + b"\r")
        connected.expect(answer)
        connected.expect_nothing()
        connected.ask(b"AT+CMQTTDISC?", b"\r\n+CMQTTDISC: 0,0\r\n+CMQTTDISC: 1,1\r\nOK\r\n")
        connected.ask(b"AT+CSQ", b"\r\n+CSQ: 23,0\r\n" + OK)
        connected.enter(b"AT+CMQTTTOPIC=0,1", b"t")

    def test_start_and_connect_fail_after_ok(self, module: SimulatedModem, wire: Wire) -> None:
        module.fail_next("CMQTTSTART", 7)
        wire.ask(b"AT+CMQTTSTART", OK + b"\r\n+CMQTTSTART: 7\r\n")
        wire.ask(b"AT+CMQTTSTART", OK + b"\r\n+CMQTTSTART: 0\r\n")
        wire.ok(b'AT+CMQTTACCQ=0,"c"')
        module.fail_next("CMQTTCONNECT", 34)
        for code in (34, 0):
            wire.ask(b'AT+CMQTTCONNECT=0,"tcp://host",60,1', OK + b"\r\n+CMQTTCONNECT: 0,%d\r\n" % code)

    def test_failed_publish_is_not_sent(self) -> None:
        with ScriptedBroker() as broker:
            address = broker.url.removeprefix("mqtt://")
            with SimulatedModem(broker=address) as module, Wire(module.port) as wire:
                wire.send(b'ATE0\rAT+CMQTTSTART\rAT+CMQTTACCQ=0,"c"\rAT+CMQTTCONNECT=0,"tcp://host",60,1\r')
                wire.read_until(b"CONNECT: 0,0\r\n")
                module.fail_next("CMQTTPUB", 17)
                module.fail_next("CMQTTPUB")
                stage(wire, b"t", b"first")
                wire.ask(b"AT+CMQTTPUB=0,0,60", OK + b"\r\n+CMQTTPUB: 0,17\r\n")
                stage(wire, b"t", b"second")
                wire.ask(b"AT+CMQTTPUB=0,0,60", ERROR)
                wire.ask(b"AT+CMQTTPUB=0,0,60", PUBLISHED)
                assert broker.wait_for(PUBLISH).payload == b"second"

    @pytest.mark.parametrize("command", ["CMQTTPUBLISH", "", "CMQTTSTART=?", "FOO?"])
    def test_unknown_command_is_refused(self, module: SimulatedModem, command: str) -> None:
        if command == "":
            module.fail_next(command)  # plain AT
            return
        with pytest.raises(ValueError, match="command must be one that the module knows"):
            module.fail_next(command)


class TestDelayNext:
    def test_delayed_ok_holds_channel(self, module: SimulatedModem, wire: Wire) -> None:
        module.delay_next("CSQ", 0.2, "ok")
        began = time.monotonic()
        wire.send(b"AT+CSQ\rAT+CPIN?\r")
        wire.expect(b"\r\n+CSQ: 23,0\r\n" + OK)
        assert time.monotonic() - began >= 0.2
        wire.expect(b"\r\n+CPIN: READY\r\n" + OK)
        wire.expect_nothing()

    def test_delayed_result_leaves_channel_free(self, module: SimulatedModem, connected: Wire) -> None:
        stage(connected, b"t", b"p")
        module.delay_next("CMQTTPUB", 0.2, "result")
        began = time.monotonic()
        connected.ask(b"AT+CMQTTPUB=0,0,60", OK)
        connected.ask(b"AT+CSQ", b"\r\n+CSQ: 23,0\r\n" + OK)
        connected.expect(b"\r\n+CMQTTPUB: 0,0\r\n")
        assert time.monotonic() - began >= 0.2

    @pytest.mark.parametrize("fault", ["echo", "all"])
    def test_delayed_echo(self, module: SimulatedModem, fresh_wire: Wire, fault: str) -> None:
        module.delay_next("CSQ", 0.2, fault)  # type: ignore[arg-type]
        began = time.monotonic()
        fresh_wire.ask(b"AT", b"AT\r" + OK)
        fresh_wire.ask(b"AT+CSQ", b"AT+CSQ\r\r\n+CSQ: 23,0\r\n" + OK)
        assert time.monotonic() - began >= 0.2

    def test_delayed_prompt(self, module: SimulatedModem, connected: Wire) -> None:
        module.delay_next("CMQTTTOPIC", 0.2, "prompt")
        began = time.monotonic()
        connected.enter(b"AT+CMQTTTOPIC=0,1", b"t")
        assert time.monotonic() - began >= 0.2

    def test_unknown_stage_is_refused(self, module: SimulatedModem) -> None:
        with pytest.raises(
            ValueError, match=r"stage must be one of echo, prompt, ok, result, all, not 'urc'"
        ):
            module.delay_next("CMQTTPUB", 1, "urc")  # type: ignore[arg-type]

    def test_restart_drops_delayed_answer(self, module: SimulatedModem, wire: Wire) -> None:
        module.delay_next("CSQ", 0.1, "ok")
        wire.send(b"AT+CSQ\r")
        while module.received[-1:] != ["AT+CSQ"]:
            os.sched_yield()
        module.reboot()
        wire.expect(BOOT)
        wire.ask(b"AT", b"AT\r" + OK)


class TestMuteNext:
    def test_muted_ok(self, module: SimulatedModem, connected: Wire) -> None:
        stage(connected, b"t", b"p")
        module.mute_next("CMQTTPUB", "ok")
        connected.ask(b"AT+CMQTTPUB=0,0,60", b"\r\n+CMQTTPUB: 0,0\r\n")
        connected.expect_nothing()

    def test_muted_result(self, module: SimulatedModem, connected: Wire, host: HostClient, base: str) -> None:
        host.subscribe(base)
        stage(connected, base.encode(), b"p")
        module.mute_next("CMQTTPUB", "result")
        connected.ask(b"AT+CMQTTPUB=0,0,60", OK)
        connected.expect_nothing()
        assert host.get().payload == b"p"
        publish(connected, base.encode(), b"q")

    def test_muted_prompt(self, module: SimulatedModem, connected: Wire) -> None:
        module.mute_next("CMQTTTOPIC", "prompt")
        connected.send(b"AT+CMQTTTOPIC=0,3\rAT\r")
        connected.expect(OK)
        connected.expect_nothing()

    def test_muted_echo(self, module: SimulatedModem, fresh_wire: Wire) -> None:
        module.mute_next("CSQ", "echo")
        fresh_wire.ask(b"AT+CSQ", b"\r\n+CSQ: 23,0\r\n" + OK)
        fresh_wire.ask(b"AT", b"AT\r" + OK)

    def test_muted_answer(self, module: SimulatedModem, fresh_wire: Wire) -> None:
        module.mute_next("CSQ")
        fresh_wire.send(b"AT+CSQ\r")
        fresh_wire.ask(b"AT+CPIN?", b"AT+CPIN?\r\r\n+CPIN: READY\r\n" + OK)

    def test_stages_of_one_answer_and_of_the_next(self, module: SimulatedModem, wire: Wire) -> None:
        module.mute_next("CMQTTSTART", "ok")
        module.mute_next("CMQTTSTART", "result")
        module.mute_next("CMQTTSTART", "ok")
        wire.send(b"AT+CMQTTSTART\r")
        wire.ask(b"AT+CSQ", b"\r\n+CSQ: 23,0\r\n" + OK)
        wire.send(b"AT+CMQTTSTART\r")
        wire.ask(b"AT+CSQ", b"\r\n+CSQ: 23,0\r\n" + OK)
        wire.ask(b"AT+CMQTTSTART", ERROR)


class TestDamageNext:
    BLOCK = (
        b"\r\n+CMQTTRXSTART: 0,1,3\r\n+CMQTTRXTOPIC: 0,1\r\nt\r\n"
        b"+CMQTTRXPAYLOAD: 0,3\r\nabc\r\n+CMQTTRXEND: 0\r\n"
    )

    @pytest.mark.parametrize(
        ("kind", "offset", "count", "expected"),
        [
            ("drop", 0, 1, BLOCK[1:]),
            ("drop", 70, 2, BLOCK[:70] + BLOCK[72:]),
            ("drop", -3, 100, BLOCK[:-3]),
            ("drop", 9999, 1, BLOCK[:-1]),
            ("flip", 2, 1, BLOCK[:2] + b"\xd4" + BLOCK[3:]),
            ("add", 5, 3, BLOCK[:5] + b"###" + BLOCK[5:]),
        ],
    )
    def test_only_next_block_is_damaged(self, kind: str, offset: int, count: int, expected: bytes) -> None:
        with ScriptedBroker() as broker:
            address = broker.url.removeprefix("mqtt://")
            with SimulatedModem(broker=address) as module, Wire(module.port) as wire:
                wire.send(b'ATE0\rAT+CMQTTSTART\rAT+CMQTTACCQ=0,"c"\rAT+CMQTTCONNECT=0,"tcp://host",60,1\r')
                wire.read_until(b"CONNECT: 0,0\r\n")
                module.damage_next(kind, offset, count)  # type: ignore[arg-type]
                for _ in range(2):
                    broker.publish(b"t", b"abc")
                wire.expect(expected + self.BLOCK)

    def test_unknown_kind_of_damage_is_refused(self, module: SimulatedModem) -> None:
        with pytest.raises(ValueError, match="kind must be one of drop, flip, add, not 'swap'"):
            module.damage_next("swap", 0)  # type: ignore[arg-type]


class TestConnectionAndNetwork:
    @pytest.mark.parametrize("cause", [1, 2, 3])
    def test_drop_connection_reports_loss(
        self, module: SimulatedModem, acquired: Wire, host: HostClient, base: str, cause: int
    ) -> None:
        host.subscribe(base)
        acquired.enter(b"AT+CMQTTWILLTOPIC=0,%d" % len(base), base.encode())
        acquired.enter(b"AT+CMQTTWILLMSG=0,4,0", b"gone")
        for _ in range(2):
            acquired.ask(b'AT+CMQTTCONNECT=0,"tcp://host",60,1', OK + b"\r\n+CMQTTCONNECT: 0,0\r\n")
            module.drop_connection(0, cause)
            acquired.expect(b"\r\n+CMQTTCONNLOST: 0,%d\r\n" % cause)
            assert host.get().payload == b"gone"
        module.drop_connection(0)
        module.drop_connection(1)
        acquired.expect_nothing()

    def test_drop_connection_of_unknown_client_is_refused(self, module: SimulatedModem) -> None:
        with pytest.raises(ValueError, match="index must be 0 or 1, not 2"):
            module.drop_connection(2)

    def test_drop_connection_while_connecting_fails_connect(self) -> None:
        with ScriptedBroker(silent_on=1) as broker:
            address = broker.url.removeprefix("mqtt://")
            with SimulatedModem(broker=address) as module, Wire(module.port) as wire:
                wire.send(b'ATE0\rAT+CMQTTSTART\rAT+CMQTTACCQ=0,"c"\rAT+CMQTTCONNECT=0,"tcp://host",60,1\r')
                broker.wait_for(1)
                module.drop_connection(0)
                wire.read_until(b"\r\n+CMQTTCONNECT: 0,26\r\n")
                wire.expect_nothing()

    def test_lost_network_fails_start_until_restored(self, module: SimulatedModem, connected: Wire) -> None:
        module.lose_network()
        connected.expect(b"\r\n+CMQTTCONNLOST: 0,3\r\n\r\n+CMQTTNONET\r\n")
        module.lose_network()
        connected.ask(b"AT+CMQTTSTART", OK + b"\r\n+CMQTTSTART: 7\r\n")
        connected.ok(b"AT+CFUN=0")
        connected.ok(b"AT+CFUN=1")
        connected.ask(b"AT+CPSI?", b"\r\n+CPSI: NO SERVICE,Online\r\n" + OK)
        module.restore_network()
        connected.ask(b"AT+CMQTTSTART", OK + b"\r\n+CMQTTSTART: 0\r\n")

    def test_lost_network_survives_reboot_but_not_reset(self, module: SimulatedModem, wire: Wire) -> None:
        module.lose_network()
        module.reboot()
        wire.expect(BOOT.replace(b"\r\n+CGEV: EPS PDN ACT 1\r\n", b""))
        wire.ask(b"AT+CSQ", b"AT+CSQ\r\r\n+CSQ: 99,99\r\n" + OK)
        module.reset()
        wire.ask(b"AT+CSQ", b"AT+CSQ\r\r\n+CSQ: 23,0\r\n" + OK)

    def test_reboot_cuts_output_and_sends_boot_lines(self, module: SimulatedModem, connected: Wire) -> None:
        connected.ask(b"AT+CMQTTPAYLOAD=0,100", b"\r\n>")
        module.reboot()
        connected.expect(BOOT)
        connected.ask(b"AT+CMQTTREL?", b"AT+CMQTTREL?\r" + ERROR)
        module.reboot()
        module.reboot()
        connected.expect(BOOT)
        connected.ask(b"AT", b"AT\r" + OK)


def test_clear_faults_disarms_all_and_keeps_session(module: SimulatedModem, connected: Wire) -> None:
    module.fail_next("CMQTTPUB", 17)
    module.mute_next("CSQ")
    module.inject_at("echo_ok", MARK)
    module.clear_faults()
    connected.ask(b"AT+CSQ", b"\r\n+CSQ: 23,0\r\n" + OK)
    stage(connected, b"t", b"p")
    connected.ask(b"AT+CMQTTPUB=0,1,60", PUBLISHED)


def test_reset_disarms_all(module: SimulatedModem, wire: Wire) -> None:
    module.fail_next("CSQ")
    module.mute_next("CSQ")
    module.inject_at("echo_ok", MARK)
    module.damage_next("drop", 0)
    module.reset()
    wire.ask(b"AT+CSQ", b"AT+CSQ\r\r\n+CSQ: 23,0\r\n" + OK)
