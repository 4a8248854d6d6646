"""Runs the factory suite of the examples as a factory does."""

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mosquitto_broker import MosquittoBroker
from simcom_mqtt.simulator import PROFILES, SimulatedModem

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "examples/factory"


@pytest.fixture
def faulty_module() -> Iterator[SimulatedModem]:
    """A module with bad firmware, a wrong IMEI and a weak signal."""
    profile = dataclasses.replace(PROFILES["sim767x"], revision="2374B03SIM767XM5A_M")
    with SimulatedModem(profile=profile, imei="864598061111111") as module:
        module.cell = module.cell.replace("-103", "-119")
        yield module


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    plugins = ["-p", "pytest_simcom_mqtt", "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SIMCOM")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", str(SUITE), *plugins, *options],
        cwd=folder,
        env=environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_good_module_passes(tmp_path: Path) -> None:
    result = run(tmp_path, "--simcom-port", "simulator")

    assert result.returncode == 0, result.stdout
    assert " 16 passed in " in result.stdout
    report = ElementTree.parse(tmp_path / "report/junit.xml")
    properties = {(each.attrib["name"], each.attrib["value"]) for each in report.iter("property")}
    assert {
        ("simcom_firmware", "2374B05SIM767XM5A_M"),
        ("rssi_dbm", "-67"),
        ("rsrp_dbm", "-103"),
        ("rsrq_db", "-13.0"),
    } <= properties
    assert "bytes_per_second" in dict(properties)
    (transcript,) = (tmp_path / "report").glob("*-simulator.txt")
    # Three tests upload, but only two certificates differ: the right authority and a foreign one.
    assert transcript.read_text().count("> line AT+CCERTDOWN=") == 2


def test_faulty_module_fails(
    faulty_module: SimulatedModem, mosquitto: MosquittoBroker, tmp_path: Path
) -> None:
    result = run(
        tmp_path,
        f"--simcom-port={faulty_module.port}",
        f"--simcom-broker=127.0.0.1:{mosquitto.plain}",
        "-k",
        "identity or network or signal or power or tls",
    )

    failures = dict(re.findall(r"^(?:FAILED|ERROR) \S+::(\w+) - (.*)$", result.stdout, re.MULTILINE))
    skipped = re.findall(r"^SKIPPED .*", result.stdout, re.MULTILINE)
    assert result.returncode == 1, result.stdout
    assert failures.keys() == {
        "test_the_imei_is_valid",
        "test_the_firmware_is_not_known_to_be_bad",
        "test_reference_signal",
        "test_certificates_are_stored_once",
        "test_it_connects_by_tls",
        "test_it_refuses_a_broker_that_it_cannot_verify",
        "test_power_cycle",
    }
    assert "the check digit is wrong" in failures["test_the_imei_is_valid"]
    assert "update to 2374B05" in failures["test_the_firmware_is_not_known_to_be_bad"]
    assert "rsrp_dbm is -119, the limit -110: look at the antenna" in failures["test_reference_signal"]
    assert "--factory-tls-url=mqtts://" in failures["test_it_connects_by_tls"]
    assert len(skipped) == 1


def test_options_describe_a_real_bench(mosquitto: MosquittoBroker, tmp_path: Path) -> None:
    """The options replace what the simulated run sets up for itself."""
    authority, switched = tmp_path / "ca.pem", tmp_path / "switched"
    mosquitto.authority.cert_pem.write_to_path(authority)
    limits = tmp_path / "limits.toml"
    text = (SUITE / "limits.toml").read_text()
    limits.write_text(
        re.sub("recovery = .*", "recovery = 0.1", text).replace("minimum = 2000", "minimum = 1e9")
    )

    with SimulatedModem() as module:
        result = run(
            tmp_path,
            f"--simcom-port={module.port}",
            f"--simcom-broker=127.0.0.1:{mosquitto.plain}",
            f"--factory-tls-url=mqtts://127.0.0.1:{mosquitto.tls}",
            f"--factory-tls-ca={authority}",
            f"--factory-power-cycle=touch {switched}",
            f"--factory-limits={limits}",
            "-k",
            "tls or power or throughput",
        )

    failures = dict(re.findall(r"^(?:FAILED|ERROR) \S+::(\w+) - (.*)$", result.stdout, re.MULTILINE))
    assert failures.keys() == {"test_power_cycle", "test_throughput"}, result.stdout
    assert switched.exists()
    assert "not connected again after 0.1 s" in failures["test_power_cycle"]
    assert "bytes a second, the limit 1000000000" in failures["test_throughput"]
