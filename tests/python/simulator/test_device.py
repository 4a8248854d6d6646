"""The module as a device: network, identity, settings, restart."""

import pytest

from scripted_broker import ScriptedBroker
from simcom_mqtt.simulator import PROFILES, SimulatedModem
from simulator.test_session import ADDRESS, acquired_on, address, connect_result
from simulator.wire import Wire

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (b"AT+CSQ", [b"+CSQ: 23,0"]),
        (b"AT+CESQ", [b"+CESQ: 99,99,255,255,13,37"]),
        (
            b"AT+CPSI?",
            [b"+CPSI: LTE,Online,460-11,0x9A5F,65141122,318,EUTRAN-BAND3,1650,5,5,-13,-103,-90,5"],
        ),
        (b"AT+CGACT?", [b"+CGACT: 1,1", b"+CGACT: 2,0", b"+CGACT: 3,0"]),
        (b"AT+CEREG?", [b"+CEREG: 0,1"]),
        (b"AT+CGREG?", [b"+CGREG: 0,1"]),
        (b"AT+CPIN?", [b"+CPIN: READY"]),
        (b"AT+CGMI", [b"SIMCOM INCORPORATED"]),
        (b"AT+CGMM", [b"SIM7670G-MNGV"]),
        (b"AT+CGMR", [b"+CGMR: 2374B05SIM767XM5A_M"]),
        (b"AT+CMEE?", [b"+CMEE: 2"]),
        (b"AT+CFUN?", [b"+CFUN: 1"]),
        (b"AT+IPR?", [b"+IPR: 115200"]),
        (b"AT+CSQ=?", [b"+CSQ: (0-31,99),(0-7,99)"]),
        (b"AT", []),
    ],
)
def test_read_command_shows_its_value(wire: Wire, command: bytes, lines: list[bytes]) -> None:
    wire.ask(command, (b"\r\n" + b"".join(line + b"\r\n" for line in lines) if lines else b"") + OK)


def test_cgsn_answers_given_imei() -> None:
    with SimulatedModem(imei="861234567890123") as module, Wire(module.port) as wire:
        wire.ask(b"AT+CGSN", b"AT+CGSN\r\r\n861234567890123\r\n" + OK)


def test_random_imei_has_valid_check_digit(wire: Wire) -> None:
    wire.send(b"AT+CGSN\r")
    imei = wire.read_until(OK).split()[0].decode()
    digits = [int(digit) for digit in imei]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    assert len(imei) == 15
    assert (sum(digits[0::2]) + sum(doubled)) % 10 == 0


@pytest.mark.parametrize("imei", ["", "123", "86123456789012x", "٣" * 15])
def test_invalid_imei_is_refused(imei: str) -> None:
    with pytest.raises(ValueError, match="imei must be 15 digits"):
        SimulatedModem(imei=imei)


def test_identification_has_both_revisions(module: SimulatedModem, wire: Wire) -> None:
    wire.send(b"AT+SIMCOMATI\r")
    lines = wire.read_until(OK).split(b"\r\n")
    assert {b"Revision: 2374B05SIM767XM5A_M", b"SIM767XM5_B05V01_241115"} <= set(lines)
    wire.send(b"ATI\r")
    assert b"Model: SIM7670G-MNGV" in wire.read_until(OK).split(b"\r\n")


def test_cmee_decides_error_format(wire: Wire) -> None:
    wire.ask(b"AT+CEREG=9", b"\r\n+CME ERROR: Incorrect parameters\r\n")
    wire.ok(b"AT+CMEE=1")
    wire.ask(b"AT+CEREG=9", b"\r\n+CME ERROR: 50\r\n")
    wire.ok(b"AT+CMEE=0")
    wire.ask(b"AT+CEREG=9", ERROR)


def test_registration_report_is_set_and_read_back(wire: Wire) -> None:
    wire.ok(b"AT+CEREG=2")
    wire.ask(b"AT+CEREG?", b'\r\n+CEREG: 2,1,"9A5F","03E1F982",7\r\n' + OK)


def test_baud_rate_is_set_and_invalid_rates_are_refused(wire: Wire) -> None:
    wire.ok(b"AT+IPR=460800")
    wire.ask(b"AT+IPR?", b"\r\n+IPR: 460800\r\n" + OK)
    wire.ask(b"AT+IPR=921600", b"\r\n+CME ERROR: Incorrect parameters\r\n")
    wire.ask(b"AT+IPR=115201", b"\r\n+CME ERROR: Incorrect parameters\r\n")


BOOT = b"".join(b"\r\n%b\r\n" % line.encode() for line in PROFILES["sim767x"].boot_lines)


class TestRestart:
    @pytest.mark.parametrize("command", [b"AT+CRESET", b"AT+CFUN=6", b"AT+CFUN=1,1"])
    def test_restart_clears_everything_outside_flash(self, started: Wire, command: bytes) -> None:
        started.ok(b"AT+CMEE=0")
        started.ok(command)
        started.expect(BOOT)
        started.ask(b"AT+CMEE?", b"AT+CMEE?\r\r\n+CMEE: 2\r\n" + OK)
        started.ask(b"AT+CMQTTREL?", b"AT+CMQTTREL?\r" + ERROR)

    def test_restart_with_session_reports_loss_first(self, connected: Wire) -> None:
        connected.ask(b"AT+CRESET", OK + b"\r\n+CMQTTCONNLOST: 0,3\r\n\r\n+CMQTTNONET\r\n" + BOOT)

    def test_booting_module_ignores_input(self, wire: Wire) -> None:
        wire.ok(b"AT+CRESET")
        wire.send(b"AT\r")
        wire.expect(BOOT)
        wire.ask(b"AT", b"AT\r" + OK)


class TestRadio:
    def test_radio_off_loses_the_network(self, connected: Wire) -> None:
        connected.ask(b"AT+CFUN=0", OK + b"\r\n+CMQTTCONNLOST: 0,3\r\n\r\n+CMQTTNONET\r\n")
        connected.ask(b"AT+CPSI?", b"\r\n+CPSI: NO SERVICE,Online\r\n" + OK)
        connected.ask(b"AT+CSQ", b"\r\n+CSQ: 99,99\r\n" + OK)
        connected.ask(b"AT+CGACT?", b"\r\n+CGACT: 1,0\r\n+CGACT: 2,0\r\n+CGACT: 3,0\r\n" + OK)
        connected.ask(b"AT+CEREG?", b"\r\n+CEREG: 0,2\r\n" + OK)
        connected.ask(b"AT+CMQTTSTART", OK + b"\r\n+CMQTTSTART: 7\r\n")
        connected.ok(b"AT+CFUN=1")
        connected.ask(b"AT+CMQTTSTART", OK + b"\r\n+CMQTTSTART: 0\r\n")
        connected.ask(b"AT+CMQTTACCQ?", b'\r\n+CMQTTACCQ: 0,"",0\r\n+CMQTTACCQ: 1,"",0\r\n' + OK)

    def test_radio_off_ends_pending_publish_first(self) -> None:
        with ScriptedBroker(silent_on=3) as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            wire.enter(b"AT+CMQTTTOPIC=0,1", b"t")
            wire.ask(b"AT+CMQTTPUB=0,1,60", OK)
            lost = b"\r\n+CMQTTPUB: 0,9\r\n\r\n+CMQTTCONNLOST: 0,3\r\n\r\n+CMQTTNONET\r\n"
            wire.ask(b"AT+CFUN=4", OK + lost)
