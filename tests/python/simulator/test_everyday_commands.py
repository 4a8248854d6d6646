"""Commands that programs send while they start up, on each firmware profile."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from simcom_mqtt.simulator import PROFILES, SimulatedModem
from simulator.wire import Wire

OK = "OK"

COMMANDS = {
    "AT+CGDCONT?": (
        r'\+CGDCONT: 1,"IP","internet","0\.0\.0\.0",0,0,0,0',
        r'\+CGDCONT: 2,"IPV4V6","ims","0\.0\.0\.0",0,0,0,0',
        r'\+CGDCONT: 3,"IPV4V6","SOS","0\.0\.0\.0",0,0,0,1',
    ),
    "AT+CGDCONT=?": tuple(rf'\+CGDCONT: \(1-24\),"{kind}",.*' for kind in ("IP", "IPV6", "IPV4V6")),
    "AT+CREG?": (r"\+CREG: 0,1",),
    "AT+CGREG?": (r"\+CGREG: 0,1",),
    "AT+CEREG?": (r"\+CEREG: 0,1",),
    "AT+CGACT=1,1": (),
    "AT+CGACT?": (r"\+CGACT: 1,1", r"\+CGACT: 2,0", r"\+CGACT: 3,0"),
    "AT+CGPADDR": (r"\+CGPADDR: 1,100\.111\.74\.74",),
    "AT+CGPADDR=1": (r"\+CGPADDR: 1,100\.111\.74\.74",),
    "AT+CGPADDR=2": (),
    "AT+CGAUTH=1": (),
    'AT+CGAUTH=1,1,"user","secret"': (),
    "AT+CGATT?": (r"\+CGATT: 1",),
    "AT+CGATT=1": (),
    "AT+CTZU?": (r"\+CTZU: 1",),
    "AT+CTZR?": (r"\+CTZR: 0",),
    "AT+CICCID": (r"\+ICCID: \d{18,20}",),
    "AT+CIMI": (r"\d{15}",),
    "AT+CGSN": (r"\d{15}",),
    "AT+GSN": (r"\d{15}",),
    "AT+SIMEI?": (r"\+SIMEI: \d{15}",),
    "AT+CGMI": (r"SIMCOM INCORPORATED",),
    "AT+GMI": (r"SIMCOM INCORPORATED",),
    "AT+CGMM": (r"SIM7670G-MNGV|A7670E-FASE|SIMCOM_SIM7600E-H",),
    "AT+GMM": (r"SIM7670G-MNGV|A7670E-FASE|SIMCOM_SIM7600E-H",),
    "AT+CGMR": (r"\+CGMR: \w[\w.]+",),
    "AT+GMR": (r"\w[\w.]+",),
    "AT+CNMI=2,1": (),
    "AT+CNMI?": (r"\+CNMI: 2,1,0,0,0",),
    "AT+CMGF?": (r"\+CMGF: 0",),
    "AT+CSCS?": (r'\+CSCS: "IRA"',),
    "AT+COPS?": (r'\+COPS: 0,0,"CH[\w -]+",7',),
    "AT+COPS=0": (),
    "AT+CNMP?": (r"\+CNMP: 2",),
    "AT+NETOPEN?": (r"\+NETOPEN: 0",),
    "AT+CSOCKSETPN=1": (),
    "AT+CIPMODE?": (r"\+CIPMODE: 0",),
    "AT+CIPCCFG=10,0,0,0,1,0,75000": (),
    "AT+CIPRXGET=1": (),
    'AT+CGSOCKCONT=1,"IP","internet"': (),
    "AT+CCLK?": (r'\+CCLK: "\d\d/\d\d/\d\d,\d\d:\d\d:\d\d[+-]\d\d"',),
    "AT+CPIN?": (r"\+CPIN: READY",),
    "AT+CMEE?": (r"\+CMEE: 2",),
    "ATZ": (),
    "AT&F0": (),
    "AT&W": (),
    "ATV1": (),
    "ATQ0": (),
    "ATE0V1": (),
    "AT+CSCLK?": (r"\+CSCLK: 0",),
    "AT+CSCLK=1": (),
    "AT+ICF?": (r"\+ICF: 3,3",),
    "AT+IFC?": (r"\+IFC: 0,0",),
    "AT+IFC=2,2": (),
    "AT+CBC": (r"\+CBC: 3\.812V",),
    "AT+CNSMOD?": (r"\+CNSMOD: 0,8",),
    "AT+CGNSSTST=1": (),
    "AT+CGPS=1": (),
    "AT+CIPGSMLOC=1": (),
    "AT+CGNSSINFO": (r"\+CGNSSINFO: ,,,,,,,,",),
    "AT+CGPSINFO": (r"\+CGPSINFO: ,,,,,,,,",),
    'AT+CCERTMOVE="ca.pem"': (),
}


def lines_of(wire: Wire, command: str) -> list[str]:
    """Return the lines of the answer to a command, its final result code last; needs echo off."""
    wire.send(command.encode() + b"\r")
    answer = b""
    while not re.search(rb"(?:^|\r\n)(OK|ERROR|\+CME ERROR: [^\r]*)\r\n\Z", answer):
        answer += wire.read_until(b"\r\n")
    assert answer.startswith(b"\r\n")
    return answer.decode()[2:-2].replace("\r\n\r\nOK", "\r\nOK").split("\r\n")


@pytest.fixture(params=list(PROFILES))
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def module(profile: str) -> Iterator[SimulatedModem]:
    with SimulatedModem(profile=profile) as modem:
        yield modem


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_answered_on_each_profile(wire: Wire, command: str) -> None:
    *information, final = lines_of(wire, command)

    assert final == OK
    assert len(information) == len(COMMANDS[command])
    for line, expected in zip(information, COMMANDS[command], strict=True):
        assert re.fullmatch(expected, line), line


@pytest.mark.parametrize(
    ("command", "read_form", "shown"),
    [
        ("AT+CMGF=1", "AT+CMGF?", "+CMGF: 1"),
        ('AT+CSCS="UCS2"', "AT+CSCS?", '+CSCS: "UCS2"'),
        ("AT+CNMI=1,2,0,1,1", "AT+CNMI?", "+CNMI: 1,2,0,1,1"),
        ("AT+CNMI=,2", "AT+CNMI?", "+CNMI: 2,2,0,0,0"),
        ("AT+CSCLK=2", "AT+CSCLK?", "+CSCLK: 2"),
        ("AT+IFC=2,2", "AT+IFC?", "+IFC: 2,2"),
        ("AT+CTZU=0", "AT+CTZU?", "+CTZU: 0"),
        ('AT+CNTP="ntp.example",32', "AT+CNTP?", '+CNTP: "ntp.example",32'),
        ("AT+CNMP=38", "AT+CNMP?", "+CNMP: 38"),
        ("AT+CGPS=1", "AT+CGPS?", "+CGPS: 1"),
        ('AT+CGAUTH=1,2,"user","secret"', "AT+CGAUTH?", '+CGAUTH: 1,2,"user","secret"'),
        ("AT+CREG=1", "AT+CREG?", "+CREG: 1,1"),
    ],
)
def test_setting_is_read_back(wire: Wire, command: str, read_form: str, shown: str) -> None:
    assert lines_of(wire, command) == [OK]
    assert lines_of(wire, read_form) == [shown, OK]


@pytest.mark.parametrize("command", ["AT+CMGF=2", 'AT+CSCS="KOI8"', "AT+CNMP=1", "AT+CNMI=9", "AT+CSCLK=3"])
def test_invalid_setting_is_refused(wire: Wire, command: str) -> None:
    assert lines_of(wire, command) == ["+CME ERROR: Incorrect parameters"]


class TestIdentification:
    def test_ati_has_all_lines_without_blank_lines(self, wire: Wire) -> None:
        wire.send(b"ATI\r")
        answer = wire.read_until(b"\r\nOK\r\n").decode()
        expected = (
            r"\r\nManufacturer: [^\r]+\r\nModel: [^\r]+\r\nRevision: [^\r]+\r\nIMEI: \d{15}\r\n"
            r"\+GCAP: \+CGSM,\+FCLASS,\+DS\r\n\r\nOK\r\n"
        )
        assert re.fullmatch(expected, answer)

    def test_simcomati_has_both_revisions_and_the_lines_of_the_profile(
        self, wire: Wire, profile: str
    ) -> None:
        firmware = PROFILES[profile]
        lines = lines_of(wire, "AT+SIMCOMATI")
        assert lines[:4] == [
            f"Manufacturer: {firmware.manufacturer}",
            f"Model: {firmware.model}",
            f"Revision: {firmware.revision}",
            firmware.second_revision,
        ]
        names = [line.partition(":")[0] for line in lines[4:-1]]
        if profile == "sim767x":
            assert names == ["IMEI", "+GCAP"]
        else:
            assert names == ["QCN", "IMEI", "MEID", "+GCAP", "DeviceInfo"]


class TestBasicCommands:
    def test_several_in_one_line(self, fresh_wire: Wire) -> None:
        fresh_wire.ask(b"ATE0V1Q0", b"ATE0V1Q0\r\r\nOK\r\n")
        fresh_wire.ask(b"AT", b"\r\nOK\r\n")

    def test_unknown_one_fails_the_line(self, wire: Wire) -> None:
        wire.ask(b"ATE0X9", b"\r\nERROR\r\n")

    def test_atv0_makes_result_codes_numbers(self, wire: Wire) -> None:
        wire.ask(b"ATV0", b"0\r")
        wire.ask(b"AT+NONE", b"4\r")
        wire.ask(b"AT+CMEE?", b"+CMEE: 2\r\n0\r")
        wire.ask(b"ATV1", b"\r\nOK\r\n")

    def test_stored_settings_survive_restart(self, module: SimulatedModem, wire: Wire) -> None:
        wire.ok(b"AT+CMEE=1")
        wire.ok(b"AT&W")
        wire.ok(b"AT+CMEE=0")
        wire.ok(b"ATZ")
        wire.ask(b"AT+CMEE?", b"\r\n+CMEE: 1\r\n\r\nOK\r\n")
        module.reboot()
        wire.read_until(b"PB DONE\r\n")
        wire.ask(b"AT+CMEE?", b"\r\n+CMEE: 1\r\n\r\nOK\r\n")
        wire.ok(b"AT&F")
        wire.ask(b"AT+CMEE?", b"AT+CMEE?\r\r\n+CMEE: 2\r\n\r\nOK\r\n")


class TestErrorFormat:
    @pytest.mark.parametrize(
        ("setting", "answer"),
        [("0", "ERROR"), ("1", "+CME ERROR: 10"), ("2", "+CME ERROR: SIM not inserted")],
    )
    def test_cmee_decides(self, profile: str, setting: str, answer: str) -> None:
        with SimulatedModem(profile=profile, faults=["no-sim"]) as module, Wire(module.port) as wire:
            wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
            wire.ok(b"AT+CMEE=" + setting.encode())
            assert lines_of(wire, "AT+CPIN?") == [answer]


class TestSockets:
    def test_open_address_close(self, wire: Wire) -> None:
        wire.ask(b"AT+NETOPEN", b"\r\nOK\r\n\r\n+NETOPEN: 0\r\n")
        assert lines_of(wire, "AT+NETOPEN?") == ["+NETOPEN: 1", OK]
        assert lines_of(wire, "AT+IPADDR") == ["+IPADDR: 100.111.74.74", OK]
        assert lines_of(wire, "AT+NETOPEN") == ["+IP ERROR: Network is already opened", "", "ERROR"]
        wire.ask(b"AT+NETCLOSE", b"\r\nOK\r\n\r\n+NETCLOSE: 0\r\n")
        assert lines_of(wire, "AT+NETOPEN?") == ["+NETOPEN: 0", OK]
        assert lines_of(wire, "AT+IPADDR") == ["+IP ERROR: Network not opened", "", "ERROR"]

    def test_open_fails_without_service(self, module: SimulatedModem, wire: Wire) -> None:
        module.lose_network()
        wire.ask(b"AT+NETOPEN", b"\r\nOK\r\n\r\n+NETOPEN: 1\r\n")
        assert lines_of(wire, "AT+NETOPEN?") == ["+NETOPEN: 0", OK]


class TestClock:
    def time(self, wire: Wire) -> datetime:
        line, _ = lines_of(wire, "AT+CCLK?")
        return datetime.strptime(line[8:-4], "%y/%m/%d,%H:%M:%S").replace(tzinfo=UTC)

    def is_right(self, wire: Wire, quarters: int = 0) -> bool:
        error = self.time(wire) - datetime.now(UTC) - timedelta(minutes=15 * quarters)
        return abs(error) < timedelta(minutes=1)

    def test_cntp_sets_the_clock_and_its_zone(self, wire: Wire) -> None:
        wire.ok(b'AT+CCLK="25/08/04,19:02:11+08"')
        assert not self.is_right(wire)
        wire.ok(b'AT+CNTP="pool.ntp.org",8')
        wire.ask(b"AT+CNTP", b"\r\nOK\r\n\r\n+CNTP: 0\r\n")
        assert self.is_right(wire, 8)
        assert lines_of(wire, "AT+CCLK?")[0].endswith('+08"')

    def test_cntp_fails_without_service(self, module: SimulatedModem, wire: Wire) -> None:
        wire.ok(b'AT+CCLK="25/08/04,19:02:11+08"')
        module.lose_network()
        wire.ask(b"AT+CNTP", b"\r\nOK\r\n\r\n+CNTP: 4\r\n")
        assert self.time(wire).year == 2025

    def test_ctzu_sets_the_clock_with_the_registration(self, module: SimulatedModem, wire: Wire) -> None:
        wire.ok(b"AT+CTZU=0")
        wire.ok(b'AT+CCLK="25/08/04,19:02:11+08"')
        module.lose_network()
        module.restore_network()
        assert not self.is_right(wire)
        wire.ok(b"AT+CTZU=1")
        assert self.is_right(wire)

    def test_ctzr_reports_the_network_time(self, module: SimulatedModem, wire: Wire, profile: str) -> None:
        wire.ok(b"AT+CTZR=1")
        module.lose_network()
        module.restore_network()
        time = r"\d\d/\d\d/\d\d,\d\d:\d\d:\d\d"
        if profile == "sim767x":
            report = wire.read_until(b"+00\r\n").decode()
            assert re.fullmatch(rf"\r\n\+CTZV: {time},\+00\r\n", report)
        else:
            report = wire.read_until(b"DST: 0\r\n").decode()
            assert re.fullmatch(rf'\r\n\*PSUTTZ: {time},"\+00",0\r\n\r\nDST: 0\r\n', report)


class TestReceiver:
    def test_power_reports_ready(self, wire: Wire) -> None:
        wire.ask(b"AT+CGNSSPWR=1", b"\r\nOK\r\n\r\n+CGNSSPWR: READY!\r\n")
        assert lines_of(wire, "AT+CGNSSPWR?") == ["+CGNSSPWR: 1", OK]
        wire.ok(b"AT+CGNSSPWR=0")
        assert lines_of(wire, "AT+CGNSSPWR?") == ["+CGNSSPWR: 0", OK]

    @pytest.mark.parametrize(
        ("position", "degrees", "minutes", "short"),
        [
            (
                (22.5723057, 113.4918289, 20.9),
                "22.5723057,N,113.4918289,E",
                "2234.338342,N,11329.509734,E",
                "2234.338342,N,11329.509734,E",
            ),
            (
                (-3.0, -60.9999999999, -1.0),
                "3.0000000,S,61.0000000,W",
                "0300.000000,S,06100.000000,W",
                "0300.000000,S,06100.000000,W",
            ),
        ],
    )
    def test_position_is_shown_while_power_is_on(
        self,
        module: SimulatedModem,
        wire: Wire,
        profile: str,
        position: tuple[float, float, float],
        degrees: str,
        minutes: str,
        short: str,
    ) -> None:
        module.position = position
        assert module.position == position
        assert lines_of(wire, "AT+CGNSSINFO") == ["+CGNSSINFO: ,,,,,,,,", OK]
        wire.ask(b"AT+CGNSSPWR=1", b"\r\nOK\r\n\r\n+CGNSSPWR: READY!\r\n")
        written = minutes if profile == "sim7600" else degrees
        (line, _) = lines_of(wire, "AT+CGNSSINFO")
        altitude = f"{position[2]:.1f}"
        assert re.fullmatch(
            rf"\+CGNSSINFO: 3,12,04,05,03,{re.escape(written)},\d{{6}},\d{{6}}\.00,{altitude},"
            r"0\.000,0\.00,1\.62,0\.88,1\.36",
            line,
        )
        (line, _) = lines_of(wire, "AT+CGPSINFO")
        assert re.fullmatch(rf"\+CGPSINFO: {re.escape(short)},\d{{6}},\d{{6}}\.0,{altitude},0\.0,0\.0", line)
        module.position = None
        assert lines_of(wire, "AT+CGNSSINFO") == ["+CGNSSINFO: ,,,,,,,,", OK]

    @pytest.mark.parametrize("position", [(91.0, 0.0, 0.0), (0.0, 181.0, 0.0)])
    def test_invalid_position_is_refused(
        self, module: SimulatedModem, position: tuple[float, float, float]
    ) -> None:
        with pytest.raises(ValueError, match="position must be"):
            module.position = position


class TestOperator:
    def test_format_decides_name_or_number(self, wire: Wire, profile: str) -> None:
        number = "46000" if profile == "a76xx" else "46011"
        wire.ok(b"AT+COPS=3,2")
        assert lines_of(wire, "AT+COPS?") == [f'+COPS: 0,2,"{number}",7', OK]
        wire.ok(f'AT+COPS=1,2,"{number}"'.encode())
        wire.ok(b"AT+COPS=0")

    def test_unknown_operator_is_refused(self, wire: Wire) -> None:
        assert lines_of(wire, 'AT+COPS=1,2,"26299"') == ["+CME ERROR: no network service"]

    def test_deregistration_loses_the_network(self, wire: Wire) -> None:
        wire.ok(b"AT+CREG=1")
        wire.ask(b"AT+COPS=2", b"\r\nOK\r\n\r\n+CREG: 2\r\n")
        wire.ask(b"AT+COPS=0", b"\r\nOK\r\n\r\n+CREG: 1\r\n")


class TestTechnology:
    @pytest.mark.parametrize(
        ("mode", "name", "system_mode", "access"), [(13, "GSM", 1, 0), (14, "WCDMA", 4, 2), (38, "LTE", 8, 7)]
    )
    def test_cnmp_selects_the_technology(
        self, wire: Wire, mode: int, name: str, system_mode: int, access: int
    ) -> None:
        wire.ok(b"AT+CNMP=%d" % mode)
        assert lines_of(wire, "AT+CPSI?")[0].startswith(f"+CPSI: {name},Online,460-")
        assert lines_of(wire, "AT+CNSMOD?")[0] == f"+CNSMOD: 0,{system_mode}"
        assert lines_of(wire, "AT+COPS?")[0].endswith(f",{access}")
        assert lines_of(wire, "AT+CREG?")[0] == "+CREG: 0,1"
        assert lines_of(wire, "AT+CEREG?")[0] == f"+CEREG: 0,{1 if name == 'LTE' else 4}"

    def test_registration_with_cell(self, wire: Wire) -> None:
        wire.ok(b"AT+CNMP=13")
        wire.ok(b"AT+CREG=2")
        assert lines_of(wire, "AT+CREG?")[0] == '+CREG: 2,1,"182D","00003071",0'


def test_permanent_baud_rate_survives_restart(module: SimulatedModem, wire: Wire) -> None:
    wire.ok(b"AT+IPREX=57600")
    module.reboot()
    wire.read_until(b"PB DONE\r\n")
    wire.ask(b"AT+IPREX?", b"AT+IPREX?\r\r\n+IPREX: 57600\r\n\r\nOK\r\n")
