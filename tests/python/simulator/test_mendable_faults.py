"""Faults that a person can mend: the answers of a real module, and the command that mends."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from mosquitto_broker import MosquittoBroker
from simcom_mqtt.simulator import PROFILES, Fault, SimulatedModem
from simulator.test_everyday_commands import lines_of
from simulator.wire import Wire

OK = b"\r\nOK\r\n"
ALL: list[Fault] = [
    "no-sim",
    "pin",
    "puk",
    "apn",
    "denied",
    "searching",
    "weak",
    "clock",
    "firmware",
    "no-antenna",
]
UNLOCKED = (
    b"\r\n+CPIN: READY\r\n"
    b'\r\n*ISIMAID: "A0000000871004"\r\n\r\n+MSTK: 11, "D08E810301250082028182"\r\n'
    b"\r\nSMS DONE\r\n\r\nPB DONE\r\n"
)


@contextmanager
def faulty(*faults: Fault, profile: str = "sim767x") -> Iterator[Wire]:
    """A raw host, with echo off, on a module with these faults."""
    with SimulatedModem(faults=faults, profile=profile) as module, Wire(module.port) as wire:
        wire.ask(b"ATE0", b"ATE0\r" + OK)
        yield wire


def can_start(wire: Wire) -> bool:
    """Return whether AT+CMQTTSTART works."""
    wire.send(b"AT+CMQTTSTART\r")
    wire.expect(OK)
    return wire.read_until(b"\r\n+CMQTTSTART: ") + wire.read_until(b"\r\n") == b"\r\n+CMQTTSTART: 0\r\n"


def test_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match=r"faults must be some of no-sim, pin, .*, not 'sim'"):
        SimulatedModem(faults=["sim"])  # type: ignore[list-item]


@pytest.mark.parametrize("profile", PROFILES)
def test_faults_combine_and_survive_reset(profile: str) -> None:
    with SimulatedModem(faults=ALL, profile=profile) as module:
        module.reset()
        with Wire(module.port) as wire:
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            assert lines_of(wire, "AT+CPIN?") == ["+CME ERROR: SIM not inserted"]
            assert lines_of(wire, "AT+CCLK?")[0].startswith('+CCLK: "70/01/01,00:00:')


class TestNoSim:
    def test_commands_that_need_a_card_fail(self) -> None:
        with faulty("no-sim") as wire:
            for command in ("AT+CPIN?", "AT+CIMI", "AT+CICCID", "AT+COPS?", 'AT+CPIN="1234"', "AT+CGACT=1,1"):
                assert lines_of(wire, command) == ["+CME ERROR: SIM not inserted"], command
            assert lines_of(wire, "AT+CREG?") == ["+CREG: 0,2", "OK"]
            assert not can_start(wire)

    @pytest.mark.parametrize("command", [b"AT+CRESET", b"AT+CFUN=1,1"])
    def test_card_is_found_at_the_next_start(self, command: bytes) -> None:
        with faulty("no-sim") as wire:
            wire.ok(command)
            assert b"+CPIN: READY" in wire.read_until(b"PB DONE\r\n")
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            assert can_start(wire)

    def test_radio_off_and_on_finds_the_card(self) -> None:
        with faulty("no-sim") as wire:
            wire.ok(b"AT+CFUN=0")
            wire.ok(b"AT+CFUN=1")
            assert lines_of(wire, "AT+CPIN?") == ["+CPIN: READY", "OK"]


class TestPin:
    NEED_PIN = ("AT+CIMI", "AT+COPS?", "AT+COPS=0", "AT+CGACT=1,1", "AT+CGATT=1", "AT+CNMI=2,1")

    @pytest.mark.parametrize(
        ("setting", "answer"),
        [("0", "ERROR"), ("1", "+CME ERROR: 11"), ("2", "+CME ERROR: SIM PIN required")],
    )
    def test_commands_that_need_the_pin_fail(self, setting: str, answer: str) -> None:
        with faulty("pin") as wire:
            wire.ok(b"AT+CMEE=" + setting.encode())
            for command in self.NEED_PIN:
                assert lines_of(wire, command) == [answer], command
            assert lines_of(wire, "AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
            assert lines_of(wire, "AT+CICCID")[-1] == "OK"
            assert not can_start(wire)

    def test_pin_unlocks_until_the_next_start(self) -> None:
        with faulty("pin") as wire:
            wire.ask(b'AT+CPIN="1234"', OK + UNLOCKED)
            for command in (*self.NEED_PIN, "AT+CPIN?"):
                assert lines_of(wire, command)[-1] == "OK", command
            assert can_start(wire)
            assert lines_of(wire, 'AT+CPIN="1234"') == ["+CME ERROR: operation not allowed"]
            wire.ok(b"AT+CRESET")
            wire.expect(b"\r\nQCRDY\r\n\r\n+CPIN: SIM PIN\r\n")

    def test_three_wrong_pins_lock_the_card(self) -> None:
        with faulty("pin") as wire:
            for _ in range(3):
                assert lines_of(wire, 'AT+CPIN="0000"') == ["+CME ERROR: incorrect password"]
            assert lines_of(wire, "AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
            assert lines_of(wire, 'AT+CPIN="1234"') == ["+CME ERROR: SIM PUK required"]

    def test_pin_lock_can_be_switched_and_the_pin_changed(self) -> None:
        with faulty("pin") as wire:
            wire.ask(b"AT+CPIN=1234", OK + UNLOCKED)
            assert lines_of(wire, 'AT+CLCK="SC",2') == ["+CLCK: 1", "OK"]
            wire.ok(b'AT+CPWD="SC","1234","4321"')
            assert lines_of(wire, 'AT+CLCK="SC",0,"1234"') == ["+CME ERROR: incorrect password"]
            wire.ok(b'AT+CLCK="SC",0,"4321"')
            assert lines_of(wire, 'AT+CLCK="SC",2') == ["+CLCK: 0", "OK"]
            wire.ok(b"AT+CRESET")
            assert b"+CPIN: READY" in wire.read_until(b"PB DONE\r\n")

    @pytest.mark.parametrize("pin", ['"123"', '"123456789"', '"12a4"', ""])
    def test_text_that_is_no_pin_costs_no_attempt(self, pin: str) -> None:
        with faulty("pin") as wire:
            for _ in range(3):
                assert lines_of(wire, f"AT+CPIN={pin}") == ["+CME ERROR: Incorrect parameters"]
            assert lines_of(wire, "AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]


class TestPuk:
    def test_puk_and_new_pin_unlock(self) -> None:
        with faulty("puk") as wire:
            assert lines_of(wire, "AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
            assert lines_of(wire, "AT+CIMI") == ["+CME ERROR: SIM PUK required"]
            assert lines_of(wire, 'AT+CPIN="11111111","4321"') == ["+CME ERROR: incorrect password"]
            wire.ask(b'AT+CPIN="12345678","4321"', OK + UNLOCKED)
            assert can_start(wire)
            wire.ok(b"AT+CRESET")
            wire.expect(b"\r\nQCRDY\r\n\r\n+CPIN: SIM PIN\r\n")
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            wire.ask(b'AT+CPIN="4321"', OK + UNLOCKED)

    def test_ten_wrong_puks_destroy_the_card(self) -> None:
        with faulty("puk") as wire:
            for _ in range(10):
                assert lines_of(wire, 'AT+CPIN="11111111","4321"') == ["+CME ERROR: incorrect password"]
            assert lines_of(wire, 'AT+CPIN="12345678","4321"') == ["+CME ERROR: incorrect password"]


class TestApn:
    def test_context_does_not_come_up(self) -> None:
        with faulty("apn") as wire:
            assert lines_of(wire, "AT+CEREG?") == ["+CEREG: 0,1", "OK"]
            assert lines_of(wire, "AT+CGDCONT?")[0] == '+CGDCONT: 1,"IP","wrong.apn","0.0.0.0",0,0,0,0'
            assert lines_of(wire, "AT+CGACT?")[0] == "+CGACT: 1,0"
            assert lines_of(wire, "AT+CGPADDR") == ["OK"]
            assert lines_of(wire, "AT+CGACT=1,1") == ["+CME ERROR: requested service option not subscribed"]
            assert not can_start(wire)

    def test_right_apn_brings_the_context_up(self) -> None:
        with faulty("apn") as wire:
            wire.ok(b'AT+CGDCONT=1,"IPV4V6","internet"')
            assert lines_of(wire, "AT+CGACT?")[0] == "+CGACT: 1,1"
            assert lines_of(wire, "AT+CGDCONT?")[0] == '+CGDCONT: 1,"IPV4V6","internet","0.0.0.0",0,0,0,0'
            wire.ok(b"AT+CGACT=1,1")
            assert can_start(wire)

    def test_context_is_in_flash_memory(self) -> None:
        with faulty("apn") as wire:
            wire.ok(b'AT+CGDCONT=1,"IP","internet"')
            wire.ok(b"AT+CRESET")
            wire.read_until(b"PB DONE\r\n")
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            assert can_start(wire)

    def test_wrong_apn_counts_from_the_next_activation(self) -> None:
        with faulty() as wire:
            wire.ok(b'AT+CGDCONT=1,"IP","other.apn"')
            assert can_start(wire)
            wire.ask(b"AT+CGACT=0,1", OK + b"\r\n+CMQTTNONET\r\n")
            assert lines_of(wire, "AT+CGACT=1,1") == ["+CME ERROR: requested service option not subscribed"]
            wire.ok(b'AT+CGDCONT=1,"IP",""')
            wire.ok(b"AT+CGACT=1,1")
            assert can_start(wire)

    def test_another_context_can_carry_the_data(self) -> None:
        with faulty("apn") as wire:
            wire.ok(b'AT+CGDCONT=4,"IP","internet"')
            wire.ok(b"AT+CGACT=1,4")
            assert lines_of(wire, "AT+CGPADDR") == ["+CGPADDR: 4,100.111.74.77", "OK"]
            assert can_start(wire)

    def test_ims_context_carries_no_data(self) -> None:
        with faulty("apn") as wire:
            wire.ok(b"AT+CGACT=1,2")
            assert lines_of(wire, "AT+CGACT?")[1] == "+CGACT: 2,1"
            assert not can_start(wire)

    def test_undefined_context_cannot_be_activated(self) -> None:
        with faulty() as wire:
            assert lines_of(wire, "AT+CGACT=1,9") == ["+CME ERROR: operation not allowed"]
            assert lines_of(wire, "AT+CGAUTH=9,1") == ["+CME ERROR: operation not allowed"]

    def test_detach_ends_the_data(self) -> None:
        with faulty() as wire:
            assert can_start(wire)
            wire.ask(b"AT+CGATT=0", OK + b"\r\n+CMQTTNONET\r\n")
            assert lines_of(wire, "AT+CGATT?") == ["+CGATT: 0", "OK"]
            wire.ok(b"AT+CGATT=1")
            assert can_start(wire)


class TestRegistration:
    @pytest.mark.parametrize(("fault", "status"), [("denied", 3), ("searching", 2)])
    def test_automatic_selection_registers(self, fault: Fault, status: int) -> None:
        with faulty(fault) as wire:
            for command in ("CREG", "CGREG", "CEREG"):
                assert lines_of(wire, f"AT+{command}?") == [f"+{command}: 0,{status}", "OK"]
            assert lines_of(wire, "AT+CSQ") == ["+CSQ: 23,0", "OK"]
            assert lines_of(wire, "AT+CPSI?") == ["+CPSI: NO SERVICE,Online", "OK"]
            assert lines_of(wire, "AT+COPS?") == ["+COPS: 1", "OK"]
            assert lines_of(wire, "AT+CGACT=1,1") == ["+CME ERROR: no network service"]
            assert lines_of(wire, "AT+CGATT=1") == ["+CME ERROR: no network service"]
            assert not can_start(wire)
            wire.ok(b"AT+COPS=0")
            assert lines_of(wire, "AT+CEREG?") == ["+CEREG: 0,1", "OK"]
            assert can_start(wire)

    @pytest.mark.parametrize("command", [b"AT+CNMP=2", b"AT+CNMP=38"])
    def test_mode_starts_a_new_search(self, command: bytes) -> None:
        with faulty("searching") as wire:
            wire.ok(command)
            assert can_start(wire)

    def test_restart_starts_a_new_search(self) -> None:
        with faulty("searching") as wire:
            wire.ok(b"AT+CRESET")
            wire.read_until(b"PB DONE\r\n")
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            assert can_start(wire)


class TestByHand:
    def test_weak_signal_still_serves(self) -> None:
        with SimulatedModem(faults=["weak"]) as module, Wire(module.port) as wire:
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            assert lines_of(wire, "AT+CSQ") == ["+CSQ: 2,5", "OK"]
            assert lines_of(wire, "AT+CPSI?")[0].endswith(",-19,-122,-109,-4")
            assert can_start(wire)
            module.mend("weak")
            assert lines_of(wire, "AT+CSQ") == ["+CSQ: 23,0", "OK"]

    def test_without_antenna_there_is_no_signal(self) -> None:
        with SimulatedModem(faults=["no-antenna"]) as module, Wire(module.port) as wire:
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            assert lines_of(wire, "AT+CSQ") == ["+CSQ: 99,99", "OK"]
            assert lines_of(wire, "AT+CEREG?") == ["+CEREG: 0,2", "OK"]
            assert not can_start(wire)
            module.mend("no-antenna")
            assert can_start(wire)

    def test_card_is_inserted(self) -> None:
        with SimulatedModem(faults=["no-sim"]) as module, Wire(module.port) as wire:
            module.mend("no-sim")
            wire.ask(b"AT+CPIN?", b"AT+CPIN?\r\r\n+CPIN: READY\r\n" + OK)

    @pytest.mark.parametrize("fault", ["apn", "clock"])
    def test_fault_that_a_command_mends_is_refused(self, fault: Fault) -> None:
        with SimulatedModem(faults=[fault]) as module, pytest.raises(ValueError, match="a command mends"):
            module.mend(fault)


class TestClock:
    @pytest.mark.parametrize("profile", PROFILES)
    def test_clock_was_never_set(self, profile: str) -> None:
        with faulty("clock", profile=profile) as wire:
            assert lines_of(wire, "AT+CCLK?")[0].startswith('+CCLK: "70/01/01,00:00:1')

    @pytest.mark.parametrize(
        ("command", "report"),
        [("AT+CTZU=1", b""), ("AT+CNTP", b"\r\n+CNTP: 0\r\n")],
    )
    def test_command_sets_the_clock(self, command: str, report: bytes) -> None:
        with faulty("clock") as wire:
            wire.ask(command.encode(), OK + report)
            (line, _) = lines_of(wire, "AT+CCLK?")
            time = datetime.strptime(line, '+CCLK: "%y/%m/%d,%H:%M:%S+00"').replace(tzinfo=UTC)
            assert abs(time - datetime.now(UTC)) < timedelta(minutes=1)

    def test_certificate_is_checked_at_the_time_of_the_module(self, mosquitto: MosquittoBroker) -> None:
        broker = f"127.0.0.1:{mosquitto.tls}"
        with SimulatedModem(faults=["clock"], broker=broker) as module, Wire(module.port) as wire:
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            assert can_start(wire)
            verify(wire, mosquitto.authority)
            connect = b'AT+CMQTTCONNECT=0,"tcp://localhost:8883",60,1'
            wire.ask(connect, OK + b"\r\n+CMQTTCONNECT: 0,32\r\n")
            wire.ok(b'AT+CSSLCFG="ignorelocaltime",0,1')
            wire.ask(connect, OK + b"\r\n+CMQTTCONNECT: 0,0\r\n")
            wire.ask(b"AT+CMQTTDISC=0", OK + b"\r\n+CMQTTDISC: 0,0\r\n")
            wire.ok(b'AT+CSSLCFG="ignorelocaltime",0,0')
            wire.ok(b"AT+CTZU=1")
            wire.ask(connect, OK + b"\r\n+CMQTTCONNECT: 0,0\r\n")


class TestFirmware:
    @pytest.mark.parametrize("profile", ["sim767x", "sim7600"])
    def test_file_over_4096_bytes_is_not_stored(self, profile: str) -> None:
        prompt = PROFILES[profile].prompt
        with faulty("firmware", profile=profile) as wire:
            wire.ask(b'AT+CCERTDOWN="chain.pem",4097', prompt)
            wire.send(b"x" * 4097)
            wire.expect(b"\r\nERROR\r\n")
            wire.ask(b'AT+CCERTDOWN="root.pem",4096', prompt)
            wire.send(b"x" * 4096)
            wire.expect(OK)
            assert lines_of(wire, "AT+CCERTLIST") == ['+CCERTLIST: "root.pem"', "OK"]

    def test_revisions_name_the_firmware(self) -> None:
        with faulty("firmware") as wire:
            assert lines_of(wire, "AT+CGMR") == ["+CGMR: 2374B04SIM767XM5A_M", "OK"]
            assert "SIM767XM5_B04V01_241010" in lines_of(wire, "AT+SIMCOMATI")

    def test_a7608_fails_each_connect_with_tls(self, mosquitto: MosquittoBroker) -> None:
        broker = f"127.0.0.1:{mosquitto.tls}"
        with (
            SimulatedModem(faults=["firmware"], profile="a76xx", broker=broker) as module,
            Wire(module.port) as wire,
        ):
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            assert lines_of(wire, "AT+CGMM") == ["A7608E-H", "OK"]
            assert can_start(wire)
            wire.ok(b'AT+CMQTTACCQ=0,"device",1')
            wire.ask(
                b'AT+CMQTTCONNECT=0,"tcp://localhost:8883",60,1',
                b"\r\n+CMQTTCONNECT: 0,3\r\n\r\nERROR\r\n",
            )


def verify(wire: Wire, authority: trustme.CA) -> None:
    """Acquire client 0 and let it verify the server and the times of its certificate."""
    content = authority.cert_pem.bytes()
    wire.ok(b'AT+CMQTTACCQ=0,"device",1')
    wire.enter(b'AT+CCERTDOWN="ca.pem",%d' % len(content), content)
    for setting in (b'"cacert",0,"ca.pem"', b'"authmode",0,1', b'"ignorelocaltime",0,0'):
        wire.ok(b"AT+CSSLCFG=" + setting)
