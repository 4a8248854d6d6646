"""Start-up sequences of programs for other modules of the family, on each firmware profile."""

from collections.abc import Iterator

import pytest

from simcom_mqtt.simulator import PROFILES, SimulatedModem
from simulator.test_everyday_commands import lines_of
from simulator.wire import Wire

SEQUENCES = {
    "A": [
        "AT",
        "ATE0",
        "AT+CMEE=0",
        "ATI",
        "AT+CTZR=0",
        "AT+CTZU=1",
        "AT+CPIN?",
        "AT+CEREG?",
        "AT+NETCLOSE",
        'AT+CGDCONT=1,"IP","internet"',
        "AT+CSOCKSETPN=1",
        "AT+CIPMODE?",
        "AT+CIPRXGET=1",
        "AT+NETOPEN",
        "AT+IPADDR",
        "AT+CMQTTSTART",
    ],
    "B": [
        "AT",
        "ATE0",
        "AT+CPIN?",
        "AT+CREG?",
        'AT+CGDCONT=1,"IP","internet"',
        "AT+CGACT=1,1",
        "AT+CGPADDR=1",
        "AT+CNMI=2,1",
        'AT+CNTP="pool.ntp.org",8',
        "AT+CNTP",
        "AT+CMQTTSTART",
    ],
    "C": [
        "AT",
        "AT+CFUN=1",
        "AT+CPIN?",
        "AT+CSQ",
        "AT+CREG=1",
        "AT+CREG?",
        "AT+CGREG?",
        "AT+COPS?",
        "AT+CICCID",
        "AT+CIMI",
        "AT+CGSN",
        "AT+CGPADDR",
        "AT+CMQTTSTART",
    ],
    "D": [
        "AT",
        "ATE0",
        "AT+CGMM",
        "AT+CNMP=2",
        "AT+CGAUTH=1,0",
        'AT+CGDCONT=1,"IP","internet"',
        "AT+CREG?",
        "AT+CPSI?",
        "AT+CGATT=1",
        "AT+CGNSSPWR=1",
        "AT+CMQTTSTART",
        'AT+CMQTTACCQ=0,"id",0,4',
    ],
}
URCS = {
    "AT+NETOPEN": "+NETOPEN: 0",
    "AT+NETCLOSE": "+NETCLOSE: 0",
    "AT+CNTP": "+CNTP: 0",
    "AT+CGNSSPWR=1": "+CGNSSPWR: READY!",
    "AT+CMQTTSTART": "+CMQTTSTART: 0",
}
EXPECTED_ERRORS = {
    # The fourth parameter of ACCQ exists on SIM7600 only.
    ("sim767x", 'AT+CMQTTACCQ=0,"id",0,4'),
    ("a76xx", 'AT+CMQTTACCQ=0,"id",0,4'),
}


@pytest.fixture(params=list(PROFILES))
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def host(profile: str) -> Iterator[Wire]:
    with SimulatedModem(profile=profile) as module, Wire(module.port) as wire:
        wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
        yield wire


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequence_has_no_unexpected_error(profile: str, host: Wire, name: str) -> None:
    for command in SEQUENCES[name]:
        if profile == "sim7600" and command == "AT+CMQTTSTART":
            host.ask(command.encode(), b"\r\n+CMQTTSTART: 0\r\n\r\nOK\r\n")
            continue
        answer = lines_of(host, command)
        assert answer[-1] == ("ERROR" if (profile, command) in EXPECTED_ERRORS else "OK"), (command, answer)
        if command in URCS:
            host.expect(f"\r\n{URCS[command]}\r\n".encode())
    host.expect_nothing()
