"""Transcripts record both directions; a full or stalled disk does not disturb the driver."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simcom_mqtt import SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem


def test_transcript_has_each_line_with_its_time(simulator: SimulatedModem, tmp_path: Path) -> None:
    transcript = tmp_path / "transcript.txt"
    with SimcomMqtt(simulator.port, transcript=transcript) as modem:
        modem.signal_quality()

    written = transcript.read_text(encoding="ascii").splitlines()
    assert written[0] == f"# simcom-mqtt transcript 1, port {simulator.port}, 115200 baud"
    assert any(line.endswith(r" > line AT+CSQ\r") for line in written)
    assert any(" < line " in line and "+CSQ: " in line for line in written)
    times = [float(line.split()[0]) for line in written[1:]]
    assert times == sorted(times)


def test_full_disk_is_logged_once(simulator: SimulatedModem, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), SimcomMqtt(simulator.port, transcript="/dev/full") as modem:
        for _ in range(3):
            assert modem.signal_quality().raw

    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["the transcript ends early: No space left on device"]


@contextmanager
def reader_that_never_reads(path: Path) -> Iterator[None]:
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield
    finally:
        os.close(reader)


def test_stalled_disk_does_not_delay_close(
    simulator: SimulatedModem, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    transcript = tmp_path / "stalled"
    with reader_that_never_reads(transcript):
        modem = SimcomMqtt(simulator.port, transcript=transcript)
        # More than a pipe holds.
        for _ in range(600):
            modem.command("AT+CSQ" + " " * 200)

        began = time.monotonic()
        modem.close()

        assert time.monotonic() - began < 2
    assert "the transcript ends early: the disk has stalled" in caplog.text
