"""Runs the snippets of the README, the examples and the demo as a user does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from documentation import CONNECTED, ROOT, Substitutes, python_blocks, run
from mosquitto_broker import MosquittoBroker
from simcom_mqtt.simulator import SimulatedModem

SNIPPETS = python_blocks(ROOT / "README.md")


def test_first_readme_snippet_runs(mosquitto: MosquittoBroker, tmp_path: Path) -> None:
    first = SNIPPETS[0]
    assert len(first.splitlines()) <= 15
    script = tmp_path / "first.py"
    with Substitutes(mosquitto) as substitutes:
        script.write_text(substitutes.fill_in(first))

        result = run(script)

    assert (result.stdout, result.stderr) == ("dut/echo hello\n", "")


def test_other_readme_snippets_run(mosquitto: MosquittoBroker, tmp_path: Path) -> None:
    script = tmp_path / "others.py"
    with Substitutes(mosquitto) as substitutes:
        substitutes.write_certificates(tmp_path)
        script.write_text(substitutes.fill_in("\n".join([CONNECTED, *SNIPPETS[1:]])))

        result = run(script, cwd=tmp_path)

    assert result.stdout.endswith("SIM7670G-MNGV\n")
    assert "Traceback" not in result.stderr


def test_quickstart_gets_all_messages_back(simulator: SimulatedModem, broker_url: str) -> None:
    output = run(ROOT / "examples/quickstart.py", "--port", simulator.port, "--broker", broker_url).stdout

    assert "10 of 10 messages came back" in output
    assert len(re.findall("^publish ", output, re.MULTILINE)) == 10
    assert sorted(re.findall("^received .*'message (.)'$", output, re.MULTILINE)) == sorted("0123456789")


def test_recorded_field_failure_can_be_replayed(
    simulator: SimulatedModem, broker_url: str, tmp_path: Path
) -> None:
    example, transcript = ROOT / "examples/field_failure.py", tmp_path / "failure.txt"
    simulator.fail_next("CMQTTPUB", 17)

    recorded = run(example, "--port", simulator.port, "--broker", broker_url, "--transcript", str(transcript))
    replayed = run(example, "--replay", str(transcript), "--broker", broker_url)

    assert "+CMQTTPUB: 0,17" in recorded.stdout
    assert replayed.stdout == recorded.stdout
    assert "secret of unit 7" not in transcript.read_text()


@pytest.mark.parametrize(("option", "broker"), [([], "mosquitto"), (["--embedded"], "amqtt")])
def test_demo_gets_all_messages_back(option: list[str], broker: str) -> None:
    output = run(ROOT / "scripts/demo.py", *option).stdout

    assert re.search(f"^started .*{broker}", output)
    assert "10 of 10 messages came back" in output


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--port", "/dev/missing"], "BROKER=mqtt://"),
        (["--port", "/dev/missing", "--broker", "mqtt://broker.example.com"], "no port /dev/missing"),
    ],
)
def test_demo_reports_an_error_in_one_line(options: list[str], expected: str) -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "scripts/demo.py", *options],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert expected in line
