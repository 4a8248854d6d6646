"""Worker N takes port N."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from xml.etree import ElementTree

import pytest

from plugin.conftest import Run
from simcom_mqtt.simulator import SimulatedModem

PRINTS_IMEI = """
    import os, pathlib, pytest

    @pytest.mark.parametrize("number", range(4))
    def test_it(simcom, number):
        worker = os.environ["PYTEST_XDIST_WORKER"]
        pathlib.Path(f"{worker}-{number}").write_text(simcom.info().imei)
"""
PASSIVE = "def test_it(): pass"


@pytest.fixture
def modules() -> Iterator[list[SimulatedModem]]:
    """Two modules with different IMEIs."""
    with ExitStack() as stack:
        yield [stack.enter_context(SimulatedModem()) for _ in range(2)]


def test_each_worker_has_its_port(run: Run, modules: list[SimulatedModem], pytester: pytest.Pytester) -> None:
    ports = [option for module in modules for option in ("--simcom-port", module.port)]

    result = run(PRINTS_IMEI, "-p", "xdist", "-n", 2, "--dist", "each", *ports, "--junitxml", "junit.xml")

    result.assert_outcomes(passed=8)
    imeis = [
        {(pytester.path / f"gw{worker}-{number}").read_text() for number in range(4)} for worker in range(2)
    ]
    assert [len(found) for found in imeis] == [1, 1]
    assert imeis[0] != imeis[1]
    summary = result.stdout.str().split(" SIMCom modules =")[1]
    for module, found in zip(modules, imeis, strict=True):
        assert f"{module.port}: IMEI {found.pop()}, SIM7670G-MNGV, firmware 2374B05" in summary
    properties = ElementTree.parse(pytester.path / "junit.xml").findall(".//property[@name='simcom_port']")
    assert sorted(each.attrib["value"] for each in properties) == sorted([m.port for m in modules] * 4)


def test_each_worker_has_its_simulated_module(simulated: Run, pytester: pytest.Pytester) -> None:
    result = simulated(PRINTS_IMEI, "-p", "xdist", "-n", 2, "--dist", "each")

    result.assert_outcomes(passed=8)
    assert len({path.read_text() for path in pytester.path.glob("gw?-?")}) == 2


def test_port_without_worker_is_named(run: Run, modules: list[SimulatedModem]) -> None:
    ports = [option for module in modules for option in ("--simcom-port", module.port)]

    result = run(PRINTS_IMEI, "-p", "xdist", "-n", 1, *ports)

    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines([f"not tested: {modules[1].port}. Each worker *-n 2 --dist each*"])


def test_too_few_ports_are_one_usage_error(run: Run, pytester: pytest.Pytester) -> None:
    result = run(PRINTS_IMEI, "-p", "xdist", "-n", 2, "--simcom-port", "/dev/missing")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (complaint,) = filter(None, result.errlines)
    assert complaint == (
        "ERROR: 2 workers need 2 modules, and 1 port was given (/dev/missing): "
        "give --simcom-port once for each worker, or run with -n 1"
    )
    assert "INTERNALERROR" not in result.stdout.str()
    assert not list(pytester.path.glob("gw*"))


def test_too_few_ports_without_tests_of_a_module_pass(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMCOM_PORT", "/dev/missing")

    run(PASSIVE, "-p", "xdist", "-n", 2).assert_outcomes(passed=1)


def test_each_test_fails_without_port(run: Run) -> None:
    result = run(PRINTS_IMEI, "-p", "xdist", "-n", 2)

    result.assert_outcomes(errors=4)
    result.stdout.fnmatch_lines(["*no port was given*"])


def test_replacement_of_crashed_worker_gets_its_port(
    run: Run, modules: list[SimulatedModem], pytester: pytest.Pytester
) -> None:
    ports = [option for module in modules for option in ("--simcom-port", module.port)]

    result = run(
        """
        import os, pathlib, pytest, time

        @pytest.mark.parametrize("number", range(6))
        def test_it(simcom, number):
            worker = os.environ["PYTEST_XDIST_WORKER"]
            pathlib.Path(f"{worker}-{number}").write_text(simcom.port)
            if worker == "gw1":
                os._exit(1)
            deadline = time.monotonic() + 8
            while not list(pathlib.Path().glob("gw2-*")) and time.monotonic() < deadline:
                time.sleep(0.02)
        """,
        "-p",
        "xdist",
        "-n",
        2,
        *ports,
    )

    result.assert_outcomes(passed=5, failed=1)
    used = {re.sub("-.*", "", path.name): path.read_text() for path in pytester.path.glob("gw*")}
    assert used["gw1"] == modules[1].port
    assert used["gw2"] == modules[1].port
