"""Characters: echo, line ends, lines too long, data entry, two transports."""

import logging
from collections.abc import Iterator

import pytest

from simcom_mqtt.simulator import SimulatedModem
from simulator.wire import Wire


def test_echo_is_on_after_power_on(fresh_wire: Wire) -> None:
    fresh_wire.ask(b"AT", b"AT\r\r\nOK\r\n")


def test_echo_follows_each_character(fresh_wire: Wire) -> None:
    for character in (b"A", b"T"):
        fresh_wire.send(character)
        fresh_wire.expect(character)
    fresh_wire.send(b"\r")
    fresh_wire.expect(b"\r\r\nOK\r\n")


def test_echo_changes_after_ate(fresh_wire: Wire) -> None:
    fresh_wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
    fresh_wire.ok(b"AT")
    fresh_wire.ok(b"ATE1")
    fresh_wire.ask(b"AT", b"AT\r\r\nOK\r\n")


def test_line_feed_after_command_is_ignored(fresh_wire: Wire) -> None:
    fresh_wire.send(b"AT\r\nATE0\r\n\nAT\r\n")
    fresh_wire.expect(b"AT\r\r\nOK\r\nATE0\r\r\nOK\r\n")
    fresh_wire.expect(b"\r\nOK\r\n")
    fresh_wire.expect_nothing()


def test_empty_lines_are_not_answered(wire: Wire) -> None:
    wire.send(b"\r\r\r\n\r")
    wire.expect_nothing()


def test_commands_are_not_case_sensitive(wire: Wire) -> None:
    wire.ask(b"at+csq", b"\r\n+CSQ: 23,0\r\n\r\nOK\r\n")


def test_commands_sent_together_are_answered_in_order(wire: Wire) -> None:
    wire.send(b"AT+CSQ\rAT+CPIN?\rAT\r")
    wire.expect(b"\r\n+CSQ: 23,0\r\n\r\nOK\r\n\r\n+CPIN: READY\r\n\r\nOK\r\n\r\nOK\r\n")


@pytest.mark.parametrize("command", [b"AT+NOSUCH", b"AT+CMQTTSUBTOPIC=0,1,1", b"ATX9!", b"hello"])
def test_unknown_command_gives_error_and_warning(
    wire: Wire, caplog: pytest.LogCaptureFixture, command: bytes
) -> None:
    wire.ask(command, b"\r\nERROR\r\n")
    records = [record for record in caplog.records if record.name == "simcom_mqtt.simulator"]
    assert [(record.levelno, command.decode() in record.getMessage()) for record in records] == [
        (logging.WARNING, True)
    ]


def test_warning_masks_passwords(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    wire.ask(b'AT+CMQTTCONECT=0,"tcp://host:1883",60,1,"user","hunter2"', b"\r\nERROR\r\n")
    assert "hunter2" not in caplog.text
    assert '"tcp://host:1883",60,1,"****","*******"' in caplog.text


def test_line_longer_than_3071_characters_is_refused(wire: Wire) -> None:
    wire.ok(b"AT" + b" " * 3069)
    wire.ask(b"AT" + b" " * 3070, b"\r\nERROR\r\n")
    wire.ask(b"AT" + b" " * 200_000, b"\r\nERROR\r\n")
    wire.expect_nothing()


def test_received_lists_command_lines(module: SimulatedModem, wire: Wire) -> None:
    wire.ok(b"AT")
    wire.ask(b"AT+N\xc3\xbc\xff", b"\r\nERROR\r\n")
    assert module.received == ["ATE0", "AT", "AT+Nü\udcff"]


class TestDataEntry:
    def test_any_byte_is_data(self, connected: Wire) -> None:
        connected.enter(b"AT+CMQTTPAYLOAD=0,256", bytes(range(256)))
        connected.expect_nothing()

    def test_data_in_pieces_is_counted(self, connected: Wire) -> None:
        connected.ask(b"AT+CMQTTPAYLOAD=0,6", b"\r\n>")
        for piece in (b"\r", b"\n", b"OK", b"\r"):
            connected.send(piece)
        connected.send(b"\nAT+CSQ\r")
        connected.expect(b"\r\nOK\r\n\r\n+CSQ: 23,0\r\n\r\nOK\r\n")

    def test_line_feed_sent_with_command_is_no_data(self, connected: Wire) -> None:
        connected.send(b"AT+CMQTTPAYLOAD=0,3\r\n")
        connected.expect(b"\r\n>")
        connected.send(b"abcAT\r")
        connected.expect(b"\r\nOK\r\n\r\nOK\r\n")

    def test_line_feed_sent_after_prompt_is_data(self, connected: Wire) -> None:
        connected.enter(b"AT+CMQTTPAYLOAD=0,3", b"\nab")
        connected.expect_nothing()

    def test_empty_line_after_data_is_harmless(self, connected: Wire) -> None:
        connected.enter(b"AT+CMQTTPAYLOAD=0,3", b"abc\r\n")
        connected.expect_nothing()

    def test_data_is_echoed_while_echo_is_on(self, connected: Wire) -> None:
        connected.ok(b"ATE1")
        connected.ask(b"AT+CMQTTPAYLOAD=0,3", b"AT+CMQTTPAYLOAD=0,3\r\r\n>")
        connected.send(b"a\rc")
        connected.expect(b"a\rc\r\nOK\r\n")

    def test_data_entry_survives_close_of_host(self, module: SimulatedModem, connected: Wire) -> None:
        connected.ask(b"AT+CMQTTPAYLOAD=0,6", b"\r\n>")
        connected.send(b"abc")
        with Wire(module.port) as next_host:
            next_host.send(b"AT\r")
            next_host.expect(b"\r\nOK\r\n")
            next_host.expect_nothing()


def test_host_can_close_and_reopen_port(module: SimulatedModem) -> None:
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

    def test_port_is_a_socket_url(self, module: SimulatedModem) -> None:
        assert module.port.startswith("socket://127.0.0.1:")

    def test_bytes_are_raw(self, fresh_wire: Wire) -> None:
        fresh_wire.ask(b"AT", b"AT\r\r\nOK\r\n")

    def test_new_connection_replaces_previous(self, module: SimulatedModem, wire: Wire) -> None:
        wire.ok(b"AT")
        with Wire(module.port) as newcomer:
            newcomer.expect_nothing()
            assert wire.read_chunk() == b""

    def test_host_can_reconnect(self, module: SimulatedModem) -> None:
        with Wire(module.port) as first:
            first.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
        with Wire(module.port) as second:
            second.expect_nothing()


def test_flood_is_answered_completely(wire: Wire) -> None:
    wire.send(b"AT\r" * 2000)
    wire.expect(b"\r\nOK\r\n" * 2000)
