"""Transcripts and their replay."""

import logging
import time
from pathlib import Path

import pytest

from simcom_mqtt.simulator import Replay
from simcom_mqtt.simulator.transcript import parse_transcript
from simulator.wire import Wire

OK = b"\r\nOK\r\n"

TRANSCRIPT = r"""# simcom-mqtt transcript
0.000000 > line ATE0\r
0.001000 < line ATE0\r
0.001500 < line \r\nOK\r\n
0.002000 < raw \x00\\\xff*
0.003000 > line AT+CMQTTCONNECT=0,"tcp://host",60,1,"me","\*\*\*"\r
0.004000 < line \r\nOK\r\n
0.005000 < line \r\n+CMQTTCONNECT: 0,0\r\n
0.006000 > line AT+CMQTTTOPIC=0,3\r
0.007000 < prompt \r\n>
0.008000 > data a\n\*
0.009000 < data a\n\*
0.010000 < line \r\nOK\r\n
"""


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    path = tmp_path / "field.transcript"
    path.write_text(TRANSCRIPT)
    return path


class TestFormat:
    def test_every_byte_is_parsed(self) -> None:
        (element,) = parse_transcript(r"12.000345 < raw  a\\b\r\n\x00\xfF*\*~" + "\n")
        assert element.data == b" a\\b\r\n\x00\xff**~"
        assert element.masked == {9}
        assert (element.time, element.from_host, element.kind) == (12.000345, False, "raw")

    def test_secret_of_other_length_matches(self) -> None:
        (element,) = parse_transcript(r'0 > line AT+X="\*\*\*",1\r')
        assert element.matches(b'AT+X="***",1\r')
        assert element.matches(b'AT+X="longer than that",1\r')
        assert not element.matches(b'AT+X="abc",2\r')

    def test_counted_data_matches_by_length(self) -> None:
        (element,) = parse_transcript(r"0 > data \*\*\*")
        assert element.matches(b"key")
        assert not element.matches(b"keys")

    def test_empty_element_and_comments_are_accepted(self) -> None:
        (element,) = parse_transcript("# one\n\n0 > data \n# two")
        assert (element.data, element.from_host) == (b"", True)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("nonsense", "not `<seconds>"),
            ("0.1 ? line x", "not `<seconds>"),
            ("0.1 > word x", "not `<seconds>"),
            ("0.1 > line", "not `<seconds>"),
            (r"0.1 > line \q", r"invalid byte '\\\\q'"),
            (r"0.1 > line \x0", "invalid byte"),
            ("0.1 > line \t", "invalid byte"),
        ],
    )
    def test_invalid_line_is_refused(self, line: str, message: str) -> None:
        with pytest.raises(ValueError, match=f"field.txt, line 2: {message}"):
            list(parse_transcript("# header\n" + line, "field.txt"))


class TestReplay:
    def test_module_and_host_take_turns(self, transcript: Path) -> None:
        with Replay(transcript) as replay, Wire(replay.port) as wire:
            wire.ask(b"ATE0", b"ATE0\r" + OK + b"\x00\\\xff*")
            wire.ask(b'AT+CMQTTCONNECT=0,"tcp://host",60,1,"me","a,b"', OK + b"\r\n+CMQTTCONNECT: 0,0\r\n")
            wire.ask(b"AT+CMQTTTOPIC=0,3", b"\r\n>")
            assert not replay.is_finished
            wire.send(b"a\n")
            wire.send(b"\xff")
            wire.expect(b"a\n*" + OK)
            assert replay.is_finished

    def test_unexpected_line_is_not_answered(
        self, transcript: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Replay(transcript) as replay, Wire(replay.port) as wire:
            wire.send(b'AT+CMQTTCONNECT=1,"tcp://host",60,1,"me","hunter2"\rATE0\r')
            wire.expect(b"ATE0\r" + OK)
        (record,) = [record for record in caplog.records if record.name == "simcom_mqtt.simulator"]
        assert record.levelno == logging.WARNING
        assert record.getMessage().startswith("expected ATE0 from the host, not AT+CMQTTCONNECT=1")
        assert "hunter2" not in caplog.text

    def test_other_data_of_same_length_is_accepted(
        self, transcript: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Replay(transcript) as replay, Wire(replay.port) as wire:
            wire.send(b'ATE0\rAT+CMQTTCONNECT=0,"tcp://host",60,1,"me","pas"\rAT+CMQTTTOPIC=0,3\rxyz')
            wire.read_until(b">a\n*" + OK)
        assert "expected 3 bytes from the host, not 3 bytes" in caplog.text

    def test_pauses_are_scaled_by_speed(self, tmp_path: Path) -> None:
        path = tmp_path / "slow.transcript"
        path.write_text("0 > line AT\\r\n2.0 < line \\r\\nOK\\r\\n")
        with Replay(path, speed=10) as replay, Wire(replay.port) as wire:
            began = time.monotonic()
            wire.ok(b"AT")
            assert 0.2 <= time.monotonic() - began < 2

    def test_first_element_waits_for_host(self, tmp_path: Path) -> None:
        path = tmp_path / "boot.transcript"
        path.write_text("0 < line \\r\\nRDY\\r\\n\n")
        with Replay(path) as replay, Wire(replay.port) as wire:
            wire.expect(b"\r\nRDY\r\n")

    def test_second_close_is_harmless(
        self, transcript: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with Replay(transcript) as replay:
            assert Path(replay.port).exists()
        replay.close()
        assert list(tmp_path.iterdir()) == [transcript]

    @pytest.mark.parametrize("speed", [0, -1.0])
    def test_invalid_speed_is_refused(self, transcript: Path, speed: float) -> None:
        with pytest.raises(ValueError, match="speed must be positive"):
            Replay(transcript, speed=speed)

    def test_missing_or_invalid_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            Replay(tmp_path / "missing")
