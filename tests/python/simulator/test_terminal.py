"""Characters: echo, line ends, lines too long, data entry, two transports."""

import logging
from collections.abc import Iterator

import pytest

from simcom_mqtt.simulator import SimulatedModem
from simulator.wire import Wire


def test_echo_is_on_after_power_on(fresh_wire: Wire) -> None:
    fresh_wire.ask(b"AT", b"AT\r\r\nOK\r\n")


def test_the_echo_comes_as_the_characters_come(fresh_wire: Wire) -> None:
    for character in (b"A", b"T"):
        fresh_wire.send(character)
        fresh_wire.expect(character)
    fresh_wire.send(b"\r")
    fresh_wire.expect(b"\r\r\nOK\r\n")


def test_ate0_is_the_last_command_echoed_and_ate1_the_first_not(fresh_wire: Wire) -> None:
    fresh_wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
    fresh_wire.ok(b"AT")
    fresh_wire.ok(b"ATE1")
    fresh_wire.ask(b"AT", b"AT\r\r\nOK\r\n")


def test_a_line_feed_after_the_command_is_ignored(fresh_wire: Wire) -> None:
    fresh_wire.send(b"AT\r\nATE0\r\n\nAT\r\n")
    fresh_wire.expect(b"AT\r\r\nOK\r\nATE0\r\r\nOK\r\n")
    fresh_wire.expect(b"\r\nOK\r\n")
    fresh_wire.fence()


def test_empty_lines_are_not_answered(wire: Wire) -> None:
    wire.send(b"\r\r\r\n\r")
    wire.fence()


def test_commands_are_not_case_sensitive(wire: Wire) -> None:
    wire.ask(b"at+csq", b"\r\n+CSQ: 23,0\r\n\r\nOK\r\n")


def test_commands_sent_together_are_answered_in_order(wire: Wire) -> None:
    wire.send(b"AT+CSQ\rAT+CPIN?\rAT\r")
    wire.expect(b"\r\n+CSQ: 23,0\r\n\r\nOK\r\n\r\n+CPIN: READY\r\n\r\nOK\r\n\r\nOK\r\n")


@pytest.mark.parametrize("command", [b"AT+NOSUCH", b"AT+CMQTTSUBTOPIC=0,1,1", b"ATX9!", b"hello"])
def test_an_unknown_command_is_an_error_and_a_warning(
    wire: Wire, caplog: pytest.LogCaptureFixture, command: bytes
) -> None:
    wire.ask(command, b"\r\nERROR\r\n")
    records = [record for record in caplog.records if record.name == "simcom_mqtt.simulator"]
    assert [(record.levelno, command.decode() in record.getMessage()) for record in records] == [
        (logging.WARNING, True)
    ]


def test_the_warning_hides_passwords(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    wire.ask(b'AT+CMQTTCONECT=0,"tcp://host:1883",60,1,"user","hunter2"', b"\r\nERROR\r\n")
    assert "hunter2" not in caplog.text
    assert '"tcp://host:1883",60,1,"****","*******"' in caplog.text


def test_a_line_of_3071_characters_is_taken_and_a_longer_one_is_not(wire: Wire) -> None:
    wire.ok(b"AT" + b" " * 3069)
    wire.ask(b"AT" + b" " * 3070, b"\r\nERROR\r\n")
    wire.ask(b"AT" + b" " * 200_000, b"\r\nERROR\r\n")
    wire.fence()


def test_what_was_received(module: SimulatedModem, wire: Wire) -> None:
    wire.ok(b"AT")
    wire.ask(b"AT+N\xc3\xbc\xff", b"\r\nERROR\r\n")
    assert module.received == ["ATE0", "AT", "AT+Nü\udcff"]


class TestDataEntry:
    def test_takes_any_byte(self, connected: Wire) -> None:
        connected.enter(b"AT+CMQTTPAYLOAD=0,256", bytes(range(256)))
        connected.fence()

    def test_takes_it_in_any_pieces_and_only_so_much(self, connected: Wire) -> None:
        connected.ask(b"AT+CMQTTPAYLOAD=0,6", b"\r\n>")
        for piece in (b"\r", b"\n", b"OK", b"\r"):
            connected.send(piece)
        connected.send(b"\nAT+CSQ\r")
        connected.expect(b"\r\nOK\r\n\r\n+CSQ: 23,0\r\n\r\nOK\r\n")

    def test_a_line_feed_sent_with_the_command_is_no_data(self, connected: Wire) -> None:
        connected.send(b"AT+CMQTTPAYLOAD=0,3\r\n")
        connected.expect(b"\r\n>")
        connected.send(b"abcAT\r")
        connected.expect(b"\r\nOK\r\n\r\nOK\r\n")

    def test_a_line_feed_sent_after_the_prompt_is_data(self, connected: Wire) -> None:
        connected.enter(b"AT+CMQTTPAYLOAD=0,3", b"\nab")
        connected.fence()

    def test_an_empty_line_after_the_data_is_harmless(self, connected: Wire) -> None:
        connected.enter(b"AT+CMQTTPAYLOAD=0,3", b"abc\r\n")
        connected.fence()

    def test_is_echoed_while_echo_is_on(self, connected: Wire) -> None:
        connected.ok(b"ATE1")
        connected.ask(b"AT+CMQTTPAYLOAD=0,3", b"AT+CMQTTPAYLOAD=0,3\r\r\n>")
        connected.send(b"a\rc")
        connected.expect(b"a\rc\r\nOK\r\n")

    def test_outlives_the_host(self, module: SimulatedModem, connected: Wire) -> None:
        connected.ask(b"AT+CMQTTPAYLOAD=0,6", b"\r\n>")
        connected.send(b"abc")
        with Wire(module.port) as next_host:
            next_host.send(b"AT\r")
            next_host.expect(b"\r\nOK\r\n")
            next_host.fence()


def test_the_host_can_close_and_open_the_port(module: SimulatedModem) -> None:
    with Wire(module.port) as wire:
        wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
        wire.ask(b"AT+CMQTTSTART", b"\r\nOK\r\n\r\n+CMQTTSTART: 0\r\n")
    for _ in range(3):
        with Wire(module.port) as wire:
            wire.ask(b"AT+CMQTTREL?", b"\r\nOK\r\n")


class TestTcp:
    @pytest.fixture
    def module(self) -> Iterator[SimulatedModem]:
        with SimulatedModem(transport="tcp") as modem:
            yield modem

    def test_names_its_port(self, module: SimulatedModem) -> None:
        assert module.port.startswith("socket://127.0.0.1:")

    def test_speaks_raw_bytes(self, fresh_wire: Wire) -> None:
        fresh_wire.ask(b"AT", b"AT\r\r\nOK\r\n")

    def test_a_new_connection_replaces_the_former(self, module: SimulatedModem, wire: Wire) -> None:
        wire.ok(b"AT")
        with Wire(module.port) as newcomer:
            newcomer.fence()
            assert wire.read_chunk() == b""

    def test_a_connection_can_be_closed_and_made_again(self, module: SimulatedModem) -> None:
        with Wire(module.port) as first:
            first.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
        with Wire(module.port) as second:
            second.fence()


def test_a_flood_is_answered_whole(wire: Wire) -> None:
    wire.send(b"AT\r" * 2000)
    wire.expect(b"\r\nOK\r\n" * 2000)
