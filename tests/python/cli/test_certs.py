"""`certs`: the module's certificate store."""

import json
from pathlib import Path

import pytest

from cli.terminal_command import lines_of, run
from simcom_mqtt.simulator import SimulatedModem

SECRET = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A file of key material."""
    file = tmp_path / "unit7.pem"
    file.write_text(SECRET)
    return file


def test_upload_list_and_delete(simulator: SimulatedModem, key: Path) -> None:
    device = ["-d", simulator.port]
    run("certs", "upload", *device, key)
    run("certs", "upload", *device, key, "--name", "other.pem")

    assert lines_of("certs", "list", *device) == ["unit7.pem", "other.pem"]
    assert run("certs", "delete", *device, "unit7.pem").exit_code == 0
    assert json.loads(lines_of("certs", "list", *device, "--json")[0]) == ["other.pem"]


def test_key_material_is_masked(simulator: SimulatedModem, key: Path, tmp_path: Path) -> None:
    transcript = tmp_path / "session.txt"

    result = run("certs", "upload", "-d", simulator.port, key, "-v", "--transcript", transcript)

    assert result.exit_code == 0
    assert 'AT+CCERTDOWN="unit7.pem"' in result.stderr
    assert "c2VjcmV0" not in result.output + transcript.read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["delete", "missing.pem"], 1, "not found"),
        (["upload", "/missing.pem"], 2, "/missing.pem"),
        (["upload", __file__], 2, ".pem or .der"),
        (["delete"], 2, "NAME"),
        ([], 2, "Usage"),
    ],
)
def test_failure_exits_with_status_and_reason(
    simulator: SimulatedModem, arguments: list[str], status: int, complaint: str
) -> None:
    result = run("certs", *arguments, env={"SIMCOM_PORT": simulator.port})

    assert (result.exit_code, result.stdout) == (status, "")
    assert complaint in result.stderr
