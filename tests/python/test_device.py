"""The module beyond MQTT: SIM card, registration, access point, clock and position."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from scripted_module import OK, ScriptedModule
from simcom_mqtt import CommandError, CommandTimeoutError, Position, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

Answer = TypeVar("Answer")


def answer(*lines: str) -> bytes:
    return b"".join(f"\r\n{line}".encode() for line in lines) + b"\r\n" + OK


def refusal(line: str) -> bytes:
    return f"\r\n{line}\r\n".encode()


def ask(answers: dict[str, bytes], question: Callable[[SimcomMqtt], Answer]) -> Answer:
    with ScriptedModule(answers) as module, SimcomMqtt(module.port) as modem:
        return question(modem)


def test_sim_that_is_ready_has_its_numbers() -> None:
    sim = ask(
        {
            "AT+CPIN?": answer("+CPIN: READY"),
            "AT+CICCID": answer("+ICCID: 89860318740037812345"),
            "AT+CIMI": answer("460115050123456"),
        },
        SimcomMqtt.sim,
    )

    assert (sim.state, sim.iccid, sim.imsi) == ("ready", "89860318740037812345", "460115050123456")
    assert sim.raw == "+CPIN: READY\n+ICCID: 89860318740037812345\n460115050123456"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (answer("+CPIN: SIM PIN"), "pin"),
        (answer("+CPIN: SIM PUK"), "puk"),
        (answer("+CPIN: NOT INSERTED"), "absent"),
        (answer("+CPIN: PH-NET PIN"), "unknown"),
        (refusal("+CME ERROR: SIM not inserted"), "absent"),
        (refusal("+CME ERROR: 10"), "absent"),
        (refusal("+CME ERROR: SIM busy"), "busy"),
        (refusal("+CME ERROR: 14"), "busy"),
        (refusal("+CME ERROR: SIM failure"), "failure"),
        (refusal("+CME ERROR: 13"), "failure"),
        (refusal("ERROR"), "unknown"),
    ],
)
def test_sim_that_is_not_ready_has_its_state(said: bytes, state: str) -> None:
    refused = dict.fromkeys(("AT+CICCID", "AT+CIMI"), refusal("ERROR"))

    sim = ask({"AT+CPIN?": said} | refused, SimcomMqtt.sim)

    assert (sim.state, sim.iccid, sim.imsi) == (state, None, None)
    assert sim.raw in said.decode()


@pytest.mark.parametrize(("faults", "state"), [([], "ready"), (["pin"], "pin"), (["no-sim"], "absent")])
def test_sim_of_the_simulated_module(faults: Any, state: str) -> None:
    with SimulatedModem(faults=faults) as simulator, SimcomMqtt(simulator.port) as modem:
        sim = modem.sim()

    assert sim.state == state
    assert (sim.imsi is not None) == (state == "ready")


def test_pin_unlocks_the_card_and_is_sent_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with SimulatedModem(faults=["pin"]) as simulator, SimcomMqtt(simulator.port) as modem:
        modem.enter_pin("1234")
        assert modem.sim().state == "ready"
        modem.enter_pin("1234")
        modem.wait_for_network(timeout=20)

    sent = [line for line in simulator.received if line.startswith("AT+CPIN=")]
    assert sent == ['AT+CPIN="1234"']
    assert "1234" not in caplog.text


def test_wrong_pin_is_not_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with SimulatedModem(faults=["pin"]) as simulator, SimcomMqtt(simulator.port) as modem:
        shown = []
        for _ in range(3):
            with pytest.raises(CommandError) as refused:
                modem.enter_pin("9876")
            shown.append(f"{refused.value} {refused.value.command} {refused.value.response}")
        modem.enter_pin("1234")
        assert modem.sim().state == "ready"

    assert simulator.received.count('AT+CPIN="9876"') == 1
    assert "three wrong ones lock the card" in shown[0]
    assert "refused this PIN before" in shown[1]
    assert all("incorrect password" in text for text in shown)
    assert "9876" not in caplog.text + "".join(shown)


def test_pin_is_not_tried_on_a_locked_card() -> None:
    with (
        SimulatedModem(faults=["puk"]) as simulator,
        SimcomMqtt(simulator.port) as modem,
        pytest.raises(CommandError, match="the SIM card is locked") as refused,
    ):
        modem.enter_pin("1234")

    assert refused.value.response == "+CPIN: SIM PUK"
    assert not [line for line in simulator.received if line.startswith("AT+CPIN=")]


@pytest.mark.parametrize("said", ["SIM busy", "14", "SIM not inserted", "SIM failure"])
def test_pin_is_not_sent_to_a_card_that_cannot_take_it(said: str) -> None:
    refused = {"AT+CPIN?": refusal(f"+CME ERROR: {said}")}
    with ScriptedModule(refused) as module, SimcomMqtt(module.port) as modem:
        with pytest.raises(CommandError, match=said):
            modem.enter_pin("1234")
        module.answers["AT+CPIN?"] = answer("+CPIN: SIM PIN")
        module.answers['AT+CPIN="1234"'] = refusal("+CME ERROR: SIM busy")
        with pytest.raises(CommandError, match="SIM busy"):
            modem.enter_pin("1234")
        module.answers['AT+CPIN="1234"'] = OK
        modem.enter_pin("1234")

    assert module.received.count('AT+CPIN="1234"') == 2


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", '12"4', "1234\r"])
def test_pin_is_4_to_8_digits(modem: SimcomMqtt, pin: str) -> None:
    with pytest.raises(ValueError, match="must be 4 to 8 digits") as refused:
        modem.enter_pin(pin)

    assert not pin or pin not in str(refused.value)


@pytest.mark.parametrize(
    ("lte", "packet", "circuit", "operator", "expected"),
    [
        ("0,1", "0,1", "0,1", '0,0,"TIM",7', ("home", "LTE", "TIM", True)),
        ("0,5", "0,4", "0,5", '0,2,"22201"', ("roaming", "LTE", "22201", True)),
        ("0,4", "0,1", "0,1", '0,2,"22201",3', ("home", "GSM", "22201", True)),
        ("0,4", "0,5", "0,5", '0,2,"22201",2', ("roaming", "WCDMA", "22201", True)),
        ("0,2", "0,2", "0,2", "0", ("searching", None, None, False)),
        ("0,3", "0,0", "0,3", "0", ("denied", None, None, False)),
        ("0,0", "0,0", "0,0", "0", ("not searching", None, None, False)),
        ("0,6", "0,0", "0,6", "0", ("sms only", None, None, False)),
        ("0,2", "0,3", "0,1", '0,0,"TIM",0', ("home", "GSM", "TIM", False)),
        ('2,1,"9A5F","3E1A2B",7', "0,0", "0,0", "0", ("home", "LTE", None, True)),
    ],
)
def test_registration_is_the_best_of_three(
    lte: str, packet: str, circuit: str, operator: str, expected: tuple[Any, ...]
) -> None:
    lines = [f"+CEREG: {lte}", f"+CGREG: {packet}", f"+CREG: {circuit}", f"+COPS: {operator}"]
    answers = {f"AT{line.split(':')[0]}?": answer(line) for line in lines}

    found = ask(answers, SimcomMqtt.registration)

    assert (found.state, found.technology, found.operator, found.is_registered) == expected
    assert found.raw.splitlines() == lines


def test_registration_of_module_that_knows_only_the_circuit_domain() -> None:
    refused = dict.fromkeys(("AT+CEREG?", "AT+CGREG?", "AT+COPS?"), refusal("ERROR"))

    found = ask({"AT+CREG?": answer("+CREG: 0,5")} | refused, SimcomMqtt.registration)

    assert (found.state, found.operator, found.is_registered) == ("roaming", None, True)


def test_registration_fails_if_no_domain_answers() -> None:
    refused = dict.fromkeys(("AT+CEREG?", "AT+CGREG?", "AT+CREG?"), refusal("ERROR"))

    with pytest.raises(CommandError, match=r"AT\+\w+REG\? was answered with ERROR"):
        ask(refused, SimcomMqtt.registration)


@pytest.mark.parametrize(
    ("faults", "state", "is_registered"),
    [([], "home", True), (["denied"], "denied", False), (["searching"], "searching", False)],
)
def test_registration_of_the_simulated_module(faults: Any, state: str, is_registered: bool) -> None:
    with SimulatedModem(faults=faults) as simulator, SimcomMqtt(simulator.port) as modem:
        registration = modem.registration()

    assert (registration.state, registration.is_registered) == (state, is_registered)
    assert registration.technology == ("LTE" if is_registered else None)


def test_module_in_gsm_has_a_network() -> None:
    answers = {
        "AT+CEREG?": answer("+CEREG: 0,4"),
        "AT+CGREG?": answer("+CGREG: 0,1"),
        "AT+CREG?": answer("+CREG: 0,1"),
        "AT+CGACT?": answer("+CGACT: 1,1"),
        "AT+CPSI?": answer("+CPSI: GSM,Online,460-00,0x182d,12401,27 EGSM 900,-64,2110,42-42"),
    }

    cell = ask(answers, lambda modem: modem.wait_for_network(timeout=5))

    assert (cell.mode, cell.band, cell.rssi_dbm) == ("GSM", "EGSM 900", -64)


@pytest.mark.parametrize(
    ("states", "definitions", "missing"),
    [
        (["1,0", "8,1"], [], "only that of IMS"),
        (["1,0", "2,1"], ['1,"IP","internet"', '2,"IPV4V6","ims"'], "only that of IMS"),
        (["1,0", "8,0"], ['1,"IP","internet"'], "no PDP context is active"),
    ],
)
def test_ims_context_alone_is_no_network(states: list[str], definitions: list[str], missing: str) -> None:
    answers = {
        "AT+CEREG?": answer("+CEREG: 0,1"),
        "AT+CGACT?": answer(*(f"+CGACT: {state}" for state in states)),
        "AT+CGDCONT?": answer(*(f"+CGDCONT: {definition}" for definition in definitions)),
    }

    with pytest.raises(CommandTimeoutError, match=missing):
        ask(answers, lambda modem: modem.wait_for_network(timeout=0.1))


def test_data_contexts_are_those_that_carry_data() -> None:
    answers = {
        "AT+CGDCONT?": answer(
            '+CGDCONT: 1,"IP","jionet","0.0.0.0",0,0,0,0',
            '+CGDCONT: 2,"IPV4V6","ims","",0,0,0,0',
            '+CGDCONT: 3,"IPV4V6","SOS","",0,0,0,1',
            '+CGDCONT: 4,"IPV6","","",0,0,0,0',
        ),
        "AT+CGACT?": answer("+CGACT: 1,1", "+CGACT: 2,1", "+CGACT: 3,0", "+CGACT: 4,0"),
        "AT+CGPADDR": OK,
        "AT+CGPADDR=1": answer("+CGPADDR: 1,100.111.74.74"),
        "AT+CGPADDR=2": answer("+CGPADDR: 2,0.0.0.0"),
    }

    first, second = ask(answers, SimcomMqtt.data_contexts)

    assert (first.number, first.type, first.apn, first.is_active) == (1, "IP", "jionet", True)
    assert first.address == "100.111.74.74"
    assert (second.number, second.type, second.apn, second.is_active) == (4, "IPV6", "", False)
    assert second.address is None


def test_right_access_point_brings_the_context_up() -> None:
    with SimulatedModem(faults=["apn"]) as simulator, SimcomMqtt(simulator.port) as modem:
        before = modem.data_contexts()[0]
        modem.set_apn("internet")
        modem.wait_for_network(timeout=20)
        after = modem.data_contexts()[0]

    assert (before.is_active, before.address) == (False, None)
    assert (after.number, after.apn, after.type, after.is_active) == (1, "internet", "IPV4V6", True)
    assert after.address is not None


def test_access_point_with_user_is_masked(
    modem: SimcomMqtt, simulator: SimulatedModem, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = len(simulator.received)

    modem.set_apn("corporate", context=2, type="IP", user="rig-user", password="swordfish", auth="chap")
    modem.set_apn("corporate", context=2, auth="none")

    assert simulator.received[asked:] == [
        'AT+CGDCONT=2,"IP","corporate"',
        'AT+CGAUTH=2,2,"rig-user","swordfish"',
        'AT+CGDCONT=2,"IPV4V6","corporate"',
        "AT+CGAUTH=2,0",
    ]
    assert "swordfish" not in caplog.text
    assert "rig-user" not in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"apn": 'inter"net'}, "apn with a quote"),
        ({"apn": "inter\rnet"}, "apn with a carriage return"),
        ({"apn": "inter\nnet"}, "apn with a line feed"),
        ({"apn": "inter\0net"}, "apn with a NUL"),
        ({"apn": "a" * 101}, "apn of 101 bytes"),
        ({"context": 0}, "context = 0: must be 1 to 24"),
        ({"context": 2**70}, "context = .*: must be 1 to 24"),
        ({"type": "PPP"}, 'type = "PPP"'),
        ({"auth": "md5"}, 'auth = "md5"'),
        ({"auth": "pap"}, "user = None"),
        ({"user": "me"}, "password = None"),
        ({"password": "x"}, "user = None"),
        ({"user": "me", "password": 'a"b'}, "password with a quote"),
        ({"user": "me", "password": "x", "auth": "none"}, 'auth = "none"'),
    ],
)
def test_illegal_access_point_is_refused(
    modem: SimcomMqtt, simulator: SimulatedModem, arguments: dict[str, Any], message: str
) -> None:
    asked = len(simulator.received)

    with pytest.raises(ValueError, match=message):
        modem.set_apn(**{"apn": "internet"} | arguments)

    assert simulator.received[asked:] == []


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("25/08/04,19:02:11+08", "2025-08-04T19:02:11+02:00"),
        ("25/08/04,19:02:11-28", "2025-08-04T19:02:11-07:00"),
        ("25/08/04,19:02:11+23", "2025-08-04T19:02:11+05:45"),
        ("25/08/04,19:02:11+00", "2025-08-04T19:02:11+00:00"),
    ],
)
def test_clock_has_its_time_zone(shown: str, expected: str) -> None:
    clock = ask({"AT+CCLK?": answer(f'+CCLK: "{shown}"')}, SimcomMqtt.clock)

    assert clock == datetime.fromisoformat(expected)
    assert clock is not None
    assert clock.isoformat() == expected


@pytest.mark.parametrize("shown", ["70/01/01,00:00:11+00", "80/01/06,00:00:11+00"])
def test_clock_that_was_never_set_is_none(shown: str) -> None:
    assert ask({"AT+CCLK?": answer(f'+CCLK: "{shown}"')}, SimcomMqtt.clock) is None


def test_clock_is_set_from_a_time_server() -> None:
    with SimulatedModem(faults=["clock"]) as simulator, SimcomMqtt(simulator.port) as modem:
        assert modem.clock() is None
        set_to = modem.sync_clock("time.example.com")
        clock = modem.clock()

    assert 'AT+CNTP="time.example.com",0' in simulator.received
    assert abs(set_to - datetime.now(UTC)) < timedelta(minutes=1)
    assert clock is not None
    assert clock >= set_to


@pytest.mark.parametrize("order", ["after OK", "before OK"])
def test_clock_keeps_its_time_zone(order: str) -> None:
    result = b"\r\n+CNTP: 0\r\n"
    answers = {
        "AT+CCLK?": answer('+CCLK: "25/08/04,19:02:11-28"'),
        "AT+CNTP": OK + result if order == "after OK" else result + OK,
    }
    with ScriptedModule(answers) as module, SimcomMqtt(module.port) as modem:
        set_to = modem.sync_clock()

    assert 'AT+CNTP="pool.ntp.org",-28' in module.received
    assert set_to.isoformat() == "2025-08-04T19:02:11-07:00"


def test_time_server_out_of_reach_is_an_error() -> None:
    answers = {
        "AT+CCLK?": answer('+CCLK: "70/01/01,00:00:11+00"'),
        "AT+CNTP": OK + b"\r\n+CNTP: 4\r\n",
    }

    with pytest.raises(CommandError, match=r"\+CNTP: 4 \(network error\)") as refused:
        ask(answers, SimcomMqtt.sync_clock)

    assert (refused.value.command, refused.value.response) == ("AT+CNTP", "+CNTP: 4")


def test_time_server_without_result_is_a_timeout() -> None:
    answers = {"AT+CCLK?": answer('+CCLK: "70/01/01,00:00:11+00"')}

    with pytest.raises(CommandTimeoutError, match=r"AT\+CNTP had no result within 0\.2 s"):
        ask(answers, lambda modem: modem.sync_clock(timeout=0.2))


@pytest.mark.parametrize("server", ["", 'a"b', "a\nb", "a" * 256])
def test_illegal_time_server_is_refused(modem: SimcomMqtt, server: str) -> None:
    with pytest.raises(ValueError, match="server"):
        modem.sync_clock(server)


@pytest.mark.parametrize("profile", ["sim767x", "a76xx", "sim7600"])
def test_position_of_the_simulated_module(profile: Any) -> None:
    with SimulatedModem(profile=profile) as simulator, SimcomMqtt(simulator.port) as modem:
        simulator.position = (-33.8567844, 151.2152967, 4.0)
        off = modem.position()
        modem.set_gnss(True)
        modem.set_gnss(True)
        fix = modem.position()
        simulator.position = None
        lost = modem.position()
        modem.set_gnss(False)

    assert (off, lost) == (None, None)
    assert isinstance(fix, Position)
    assert fix.latitude == pytest.approx(-33.8567844, abs=1e-6)
    assert fix.longitude == pytest.approx(151.2152967, abs=1e-6)
    assert (fix.altitude, fix.hdop, fix.satellites) == (4.0, 0.88, 24)
    assert fix.time.tzinfo == UTC
    assert abs(fix.time - datetime.now(UTC)) < timedelta(minutes=1)
    assert simulator.received.count("AT+CGNSSPWR=1") == 1


def test_receiver_is_waited_for() -> None:
    answers = {"AT+CGNSSPWR?": answer("+CGNSSPWR: 0"), "AT+CGNSSPWR=1": OK}
    with ScriptedModule(answers) as module, SimcomMqtt(module.port) as modem:
        with pytest.raises(CommandTimeoutError, match=r"AT\+CGNSSPWR=1 had no result within 0\.1 s"):
            modem.set_gnss(True, timeout=0.1)
        module.answers["AT+CGNSSPWR=1"] = OK + b"\r\n+CGNSSPWR: READY!\r\n"
        modem.set_gnss(True)


def test_speed_is_in_km_per_h() -> None:
    line = "+CGNSSINFO: 2,09,05,00,3113.343286,N,12121.234064,E,250311,072809.3,44.1,10.0,271.5,1.3,1.0,0.8"

    fix = ask({"AT+CGNSSINFO": answer(line)}, SimcomMqtt.position)

    assert fix is not None
    assert fix.speed == pytest.approx(18.52)
    assert (fix.course, fix.raw) == (271.5, line)
    assert fix.time == datetime(2011, 3, 25, 7, 28, 9, 300_000, UTC)


def test_unreadable_position_is_an_error() -> None:
    line = "+CGNSSINFO: 2,09,05,00,9913.34,N,12121.23,E,250311,072809.3"

    with pytest.raises(CommandError, match=r"AT\+CGNSSINFO was answered with"):
        ask({"AT+CGNSSINFO": answer(line)}, SimcomMqtt.position)
