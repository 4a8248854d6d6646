"""The README's first script, and the example that `make demo` runs, as a user runs them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from simcom_mqtt.simulator import SimulatedModem

ROOT = Path(__file__).parents[2]


def run(*command: object) -> str:
    """The output of a Python process, which must succeed and not complain."""
    result = subprocess.run(
        [sys.executable, "-W", "error", *map(str, command)],
        capture_output=True,
        text=True,
        timeout=9,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def test_the_first_script_of_the_readme(simulator: SimulatedModem, broker_url: str, tmp_path: Path) -> None:
    (first, *_) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(first.splitlines()) <= 15
    script = tmp_path / "first.py"
    port, url = '"/dev/ttyUSB2"', '"mqtt://broker.example.com"'
    assert port in first
    assert url in first
    script.write_text(first.replace(port, repr(simulator.port)).replace(url, repr(broker_url)))

    assert "hello" in run(script)


def test_the_quickstart(simulator: SimulatedModem, broker_url: str) -> None:
    output = run(ROOT / "examples/quickstart.py", "--port", simulator.port, "--broker", broker_url)

    assert "10 of 10 messages came back" in output
    assert len(re.findall("^publish ", output, re.MULTILINE)) == 10
    assert sorted(re.findall("^received .*'message (.)'$", output, re.MULTILINE)) == sorted("0123456789")


@pytest.mark.parametrize(("option", "broker"), [([], "mosquitto"), (["--embedded"], "amqtt")])
def test_the_demo(option: list[str], broker: str) -> None:
    output = run(ROOT / "scripts/demo.py", *option)

    assert re.search(f"^started .*{broker}", output)
    assert "10 of 10 messages came back" in output


def test_a_real_module_needs_a_broker() -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "scripts/demo.py", "--port", "/dev/ttyUSB2"],
        capture_output=True,
        text=True,
        timeout=9,
        check=False,
    )

    assert result.returncode == 2
    assert "BROKER=mqtt://" in result.stderr
