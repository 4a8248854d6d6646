"""The application: help, version, missing extras, exit codes."""

import errno
import re
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest

import simcom_mqtt
from cli.terminal_command import COMMAND, Terminal, lines_of, process, run
from simcom_mqtt import PortError
from simcom_mqtt.cli import main
from simcom_mqtt.cli.application import COMMANDS
from simcom_mqtt.cli.exit_codes import exit_codes
from simcom_mqtt.install_command import install_command
from simcom_mqtt.simulator import SimulatedModem

ROOT = Path(__file__).parents[3]


def test_version() -> None:
    assert lines_of("--version") == [f"simcom-mqtt, version {simcom_mqtt.__version__}"]


def test_no_command_lists_all_commands() -> None:
    result = run()

    assert result.exit_code == 2
    assert all(re.search(rf"^  {command} ", result.output, re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_an_example(command: str) -> None:
    result = run(command, "--help")

    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(rf"^  Examples?:\n.*simcom-mqtt {command}", result.stdout, re.MULTILINE | re.DOTALL)


def test_unknown_command_exits_with_2() -> None:
    assert run("publish").exit_code == 2


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_missing_extra_names_what_to_install(missing: str) -> None:
    source = f"import sys; sys.modules[{missing!r}] = None; from simcom_mqtt.cli import main; main()"
    result = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"the terminal command needs click and rich: {install_command('cli')}\n"


def test_demonstration_imports_neither_click_nor_rich() -> None:
    source = "import sys; sys.modules.update(click=None, rich=None); import simcom_mqtt.demonstration"

    subprocess.run([sys.executable, "-c", source], check=True)


def test_installed_script_calls_main() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert EntryPoint("simcom-mqtt", scripts["simcom-mqtt"], "console_scripts").load() is main


def test_shell_completion() -> None:
    result = subprocess.run(
        COMMAND, env={"_SIMCOM_MQTT_COMPLETE": "bash_source"}, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0
    assert "complete -o nosort" in result.stdout


def test_colours_on_terminal_but_not_in_pipe_or_with_no_color(simulator: SimulatedModem) -> None:
    with Terminal("info", "-d", simulator.port) as coloured:
        assert coloured.end() == 0
    with Terminal("info", "-d", simulator.port, env={"NO_COLOR": "1"}) as monochrome:
        assert monochrome.end() == 0
    with process("info", "-d", simulator.port) as piped:
        output, errors = piped.communicate(timeout=30)

    assert re.search(rb"\x1b\[[0-9;]*3[0-9]m", coloured.shown)
    assert not re.search(rb"\x1b\[[0-9;]*[34][0-9]m", monochrome.shown)
    assert (b"\x1b" in output, errors) == (False, b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("options", [["info", "-d", "simulator"], ["--help"], ["--version"]])
def test_full_disk_exits_with_1_and_names_the_cause(options: list[str], unbuffered: str) -> None:
    environment = {"PYTHONUNBUFFERED": unbuffered}
    with (
        open("/dev/full", "wb") as full,  # noqa: PTH123
        process(*options, env=environment, stdout=full) as command,
    ):
        _, errors = command.communicate(timeout=30)

    assert command.returncode == 1
    assert b"No space left on device" in errors
    assert b"Traceback" not in errors
    assert b"Exception ignored" not in errors


@pytest.mark.parametrize("closed", [">&-", "2>&-", "2>/dev/full"])
def test_closed_or_full_stream_does_not_fail_a_command(closed: str) -> None:
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh"]
    with process("info", "-d", "simulator", started_by=shell) as command:
        output, errors = command.communicate(timeout=30)

    assert command.returncode == 0
    assert b"Traceback" not in output + errors


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
def test_time_that_is_not_finite_is_refused(options: tuple[str, ...]) -> None:
    result = run(*options, "-d", "simulator")

    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert "Invalid value" in result.stderr


def test_closed_standard_input_exits_with_2() -> None:
    with process(
        "pub", "-d", "simulator", "-t", "a", "-l", started_by=["sh", "-c", 'exec "$@" <&-', "sh"]
    ) as command:
        _, errors = command.communicate(timeout=30)

    assert command.returncode == 2
    assert b"standard input is closed" in errors


def test_password_variable_without_user_name_is_ignored() -> None:
    result = run("doctor", "-d", "simulator", env={"SIMCOM_PASSWORD": "of another broker"})

    assert "needs a user name" not in result.output
    assert result.exit_code == 0, result.output


def test_port_in_host_is_refused() -> None:
    result = run("pub", "-d", "simulator", "-h", "broker.example.com:1883", "-t", "a", "-n")

    assert result.exit_code == 2
    assert "the port goes to --port" in result.stderr


@pytest.mark.parametrize(
    ("platform", "error", "status"),
    [
        ("linux", BrokenPipeError(errno.EPIPE, "Broken pipe"), 141),
        ("linux", OSError(errno.EINVAL, "Invalid argument"), 1),
        ("win32", OSError(errno.EINVAL, "Invalid argument"), 141),
        ("win32", PortError("no port COM5"), 1),
    ],
)
def test_broken_pipe_is_told_from_other_errors(
    monkeypatch: pytest.MonkeyPatch, platform: str, error: Exception, status: int
) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    with pytest.raises((click.exceptions.Exit, click.ClickException)) as end, exit_codes():
        raise error

    assert getattr(end.value, "exit_code", None) == status
