"""Answers that a test teaches the module."""

import pytest

from simcom_mqtt.simulator import SimulatedModem
from simulator.wire import Wire

OK = b"\r\nOK\r\n"


def test_command_is_answered_in_all_forms(module: SimulatedModem, wire: Wire) -> None:
    module.answer("AT+XYZ", ["+XYZ: 1", "+XYZ: 2"])
    for form in (b"AT+XYZ", b"AT+XYZ?", b"AT+XYZ=?", b'AT+XYZ=1,"a"', b"at+xyz"):
        wire.ask(form, b"\r\n+XYZ: 1\r\n+XYZ: 2\r\n" + OK)


@pytest.mark.parametrize(("taught", "sent"), [("AT+XYZ?", b"AT+XYZ?"), ("AT+XYZ=", b"AT+XYZ=5")])
def test_only_one_form_is_answered(
    module: SimulatedModem, wire: Wire, caplog: pytest.LogCaptureFixture, taught: str, sent: bytes
) -> None:
    module.answer(taught, ["+XYZ: 1"])
    wire.ask(sent, b"\r\n+XYZ: 1\r\n" + OK)
    wire.ask(b"AT+XYZ=?", b"\r\nERROR\r\n")
    assert "unknown AT command: AT+XYZ=?" in caplog.text


def test_form_comes_before_command(module: SimulatedModem, wire: Wire) -> None:
    module.answer("AT+XYZ", [])
    module.answer("AT+XYZ?", ["+XYZ: 7"])
    wire.ask(b"AT+XYZ?", b"\r\n+XYZ: 7\r\n" + OK)
    wire.ask(b"AT+XYZ", OK)


def test_function_receives_the_command_line(module: SimulatedModem, wire: Wire) -> None:
    module.answer("AT+XYZ=", lambda command: [f"+XYZ: {command.partition('=')[2]}"])
    wire.ask(b"AT+XYZ=3,4", b"\r\n+XYZ: 3,4\r\n" + OK)


@pytest.mark.parametrize("final", ["ERROR", "+CME ERROR: 10", "NO CARRIER"])
def test_final_result_code_is_free(module: SimulatedModem, wire: Wire, final: str) -> None:
    module.answer("AT+XYZ", ["text"], final=final)
    wire.ask(b"AT+XYZ", b"\r\ntext\r\n\r\n%b\r\n" % final.encode())
    wire.expect_nothing()


def test_known_command_is_replaced_until_reset(module: SimulatedModem, wire: Wire) -> None:
    module.answer("AT+CSQ", ["+CSQ: 7,0"])
    wire.ask(b"AT+CSQ", b"\r\n+CSQ: 7,0\r\n" + OK)
    module.reset()
    wire.ask(b"AT+CSQ", b"AT+CSQ\r\r\n+CSQ: 23,0\r\n" + OK)


def test_answer_suffers_armed_faults(module: SimulatedModem, wire: Wire) -> None:
    module.answer("AT+CSQ", ["+CSQ: 7,0"])
    module.fail_next("CSQ", 30)
    wire.ask(b"AT+CSQ", b"\r\n+CME ERROR: 30\r\n")
    wire.ask(b"AT+CSQ", b"\r\n+CSQ: 7,0\r\n" + OK)


def test_function_that_raises_is_an_error_of_the_command(
    module: SimulatedModem, wire: Wire, internal_errors: list[str]
) -> None:
    def broken(_command: str) -> list[str]:
        raise LookupError("no such value")

    module.answer("AT+XYZ", broken)
    wire.ask(b"AT+XYZ", b"\r\nERROR\r\n")
    wire.expect_nothing()
    internal_errors.append("the function that answers AT+XYZ failed")


@pytest.mark.parametrize("command", ["XYZ", "", "AT+", "AT+XYZ\r"])
def test_text_that_is_no_command_is_refused(module: SimulatedModem, command: str) -> None:
    with pytest.raises(ValueError, match="command must be an AT command such as"):
        module.answer(command, [])


def test_text_instead_of_lines_is_refused(module: SimulatedModem) -> None:
    with pytest.raises(TypeError, match="lines must be a list of lines"):
        module.answer("AT+XYZ", "OK")
