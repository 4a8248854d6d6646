"""The command around its verbs: help, version, what is missing."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import simcom_mqtt
from cli.terminal_command import COMMAND, Terminal, lines_of, process, run
from simcom_mqtt.cli import main
from simcom_mqtt.cli.application import VERBS
from simcom_mqtt.simulator import SimulatedModem

ROOT = Path(__file__).parents[3]


def test_the_version() -> None:
    assert lines_of("--version") == [f"simcom-mqtt, version {simcom_mqtt.__version__}"]


def test_no_verb_shows_them_all() -> None:
    result = run()

    assert result.exit_code == 2
    assert all(re.search(rf"^  {verb} ", result.output, re.MULTILINE) for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_an_example(verb: str) -> None:
    result = run(verb, "--help")

    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(rf"^  Examples?:\n.*simcom-mqtt {verb}", result.stdout, re.MULTILINE | re.DOTALL)


def test_an_unknown_verb() -> None:
    assert run("publish").exit_code == 2


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_the_extra_one_line_says_what_to_install(missing: str) -> None:
    source = f"import sys; sys.modules[{missing!r}] = None; from simcom_mqtt.cli import main; main()"
    result = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == ("the terminal command needs click and rich: pip install 'simcom-mqtt[cli]'\n")


def test_the_demo_of_make_needs_neither() -> None:
    source = "import sys; sys.modules.update(click=None, rich=None); import simcom_mqtt.demonstration"

    subprocess.run([sys.executable, "-c", source], check=True)


def test_the_installed_command_is_this_one() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert EntryPoint("simcom-mqtt", scripts["simcom-mqtt"], "console_scripts").load() is main


def test_completion_comes_from_click() -> None:
    result = subprocess.run(
        COMMAND, env={"_SIMCOM_MQTT_COMPLETE": "bash_source"}, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0
    assert "complete -o nosort" in result.stdout


def test_colours_only_on_a_terminal_and_only_if_wanted(simulator: SimulatedModem) -> None:
    with Terminal("info", "-d", simulator.port) as coloured:
        assert coloured.end() == 0
    with Terminal("info", "-d", simulator.port, env={"NO_COLOR": "1"}) as monochrome:
        assert monochrome.end() == 0
    with process("info", "-d", simulator.port) as piped:
        output, errors = piped.communicate(timeout=30)

    assert re.search(rb"\x1b\[[0-9;]*3[0-9]m", coloured.shown)
    assert not re.search(rb"\x1b\[[0-9;]*[34][0-9]m", monochrome.shown)
    assert (b"\x1b" in output, errors) == (False, b"")


def test_a_full_disk_is_told(simulator: SimulatedModem) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        result = subprocess.run(
            [*COMMAND, "info", "-d", simulator.port],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert result.returncode == 1
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("sub", "-t", "a", "-W", "inf"),
        ("sub", "-t", "a", "-W", "nan"),
        ("sub", "-t", "a", "-W", "1e300"),
        ("soak", "--max-latency", "nan"),
        ("soak", "--interval", "inf"),
        ("pub", "-t", "a", "-n", "--repeat-delay", "nan"),
    ],
)
def test_times_that_are_none(options: tuple[str, ...]) -> None:
    result = run(*options, "-d", "simulator")

    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert "Invalid value" in result.stderr


def test_a_standard_input_that_is_closed() -> None:
    with process(
        "pub", "-d", "simulator", "-t", "a", "-l", started_by=["sh", "-c", 'exec "$@" <&-', "sh"]
    ) as command:
        _, errors = command.communicate(timeout=30)

    assert command.returncode == 2
    assert b"standard input is closed" in errors


def test_a_password_for_others_does_not_matter() -> None:
    result = run("doctor", "-d", "simulator", env={"SIMCOM_PASSWORD": "of another broker"})

    assert "needs a user name" not in result.output
    assert result.exit_code == 0, result.output


def test_a_host_with_a_port() -> None:
    result = run("pub", "-d", "simulator", "-h", "broker.example.com:1883", "-t", "a", "-n")

    assert result.exit_code == 2
    assert "the port goes to --port" in result.stderr
