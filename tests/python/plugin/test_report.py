"""The report of a run: its modules, and the transcripts of failing tests."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from plugin.conftest import Run

FACTS = r"simulator: IMEI 8645980\d{8}, SIM7670G-MNGV, firmware 2374B05SIM767XM5A_M, RSSI -67 dBm"
FAILS = """
    def test_before(simcom):
        simcom.command("AT+CESQ")

    def test_fails(simcom):
        simcom.command("AT+CPSI?")
        assert not "this is what was wrong"
"""


def section_of(result: pytest.RunResult) -> list[str]:
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if " AT transcript " in line)
    end = next(number for number in range(start + 1, len(lines)) if lines[number].startswith(("===", "___")))
    return lines[start + 1 : end]


def test_terminal_shows_module_before_and_after_tests(simulated: Run) -> None:
    output = simulated("def test_it(simcom): pass").stdout.str()

    before, after = output.split("test_terminal_shows_module_before_and_after_tests.py .")
    assert re.search(f"^SIMCom module: {FACTS}$", before, re.MULTILINE)
    assert re.search(f"=+ SIMCom modules =+\n{FACTS}$", after, re.MULTILINE)


def test_unknown_signal(run: Run, pytester: pytest.Pytester) -> None:
    from simcom_mqtt.simulator import SimulatedModem

    with SimulatedModem() as module:
        module.lose_network()
        run("def test_it(simcom_modem): pass", "--simcom-port", module.port).stdout.fnmatch_lines(
            ["SIMCom module: *RSSI unknown"]
        )


def test_junit_has_module_of_each_test(simulated: Run, pytester: pytest.Pytester) -> None:
    simulated("def test_it(simcom): pass\ndef test_other(): pass", "--junitxml", "junit.xml")

    cases = ElementTree.parse(pytester.path / "junit.xml").iter("testcase")
    properties = {
        case.attrib["name"]: {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
        for case in cases
    }
    imei = properties["test_it"].pop("simcom_imei")
    assert re.fullmatch(r"\d{15}", imei)
    assert properties == {
        "test_it": {
            "simcom_port": "simulator",
            "simcom_model": "SIM7670G-MNGV",
            "simcom_firmware": "2374B05SIM767XM5A_M",
            "simcom_rssi_dbm": "-67",
        },
        "test_other": {},
    }


def test_failing_test_shows_its_own_transcript(simulated: Run, pytester: pytest.Pytester) -> None:
    result = simulated(FAILS)

    result.assert_outcomes(passed=1, failed=1)
    title, *lines = section_of(result)
    path = pytester.path / ".pytest_cache/d/simcom/simulator.txt"
    assert re.fullmatch(rf"the last of {len(lines)} lines of this test, in {re.escape(str(path))}:", title)
    assert lines[-3].endswith(r"> line AT+CPSI?\r")
    assert lines[-1].endswith(r"< line \r\nOK\r\n")
    whole = path.read_text()
    assert set(lines) <= set(whole.splitlines())
    assert "AT+CESQ" in whole
    assert not [line for line in lines if "AT+CESQ" in line]


def test_long_transcript_is_cut(simulated: Run) -> None:
    result = simulated("def test_fails(simcom):\n  for _ in range(50): simcom.command('AT+CSQ')\n  assert 0")

    title, *lines = section_of(result)
    assert len(lines) == 40
    found = re.match(r"the last of (\d+) lines", title)
    assert found
    assert int(found[1]) >= 150


def test_failing_setup_shows_transcript(simulated: Run) -> None:
    result = simulated(
        """
        import pytest

        @pytest.fixture
        def broken(simcom):
            simcom.command("AT+CPSI?")
            simcom.command("AT+NONSENSE")

        def test_it(broken):
            pass
        """
    )

    result.assert_outcomes(errors=1)
    assert section_of(result)[-2].endswith(r"> line AT+NONSENSE\r")


def test_test_without_module_shows_no_transcript(simulated: Run) -> None:
    result = simulated("def test_it(simcom): pass\ndef test_other(): assert 0")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.no_fnmatch_line("*AT transcript*")


def test_transcript_continues_after_reopening(simulated: Run) -> None:
    result = simulated(
        """
        def test_closes(simcom):
            simcom.command("AT+CESQ")
            simcom.close()

        def test_fails(simcom):
            simcom.command("AT+CPSI?")
            assert 0
        """
    )

    title, *lines = section_of(result)
    assert "simulator-reopened-1.txt" in title
    text = "\n".join(lines)
    assert "AT+CPSI?" in text
    assert "ATE0" in text
    assert "AT+CESQ" not in text


def test_transcript_of_test_that_closes_the_port(simulated: Run) -> None:
    result = simulated("def test_it(simcom):\n  simcom.command('AT+CSQ')\n  simcom.close()\n  assert 0")

    assert section_of(result)[-1].endswith(r"< line \r\nOK\r\n")


@pytest.mark.parametrize("text", ["> <", "a > b < c", "\\x41", "é"])
def test_text_that_looks_like_a_transcript_does_not_shift_it(simulated: Run, text: str) -> None:
    result = simulated(
        f"""
        def test_before(simcom_client):
            simcom_client.publish("t", {text!r} * 9)

        def test_fails(simcom):
            assert 0
        """
    )

    _, *lines = section_of(result)
    assert lines[0].endswith(r"> line AT\r")


def test_log_dir_keeps_all_transcripts(simulated: Run, pytester: pytest.Pytester) -> None:
    result = simulated(FAILS, "--simcom-log-dir", "made/on/demand")

    (path,) = (pytester.path / "made/on/demand").iterdir()
    assert re.fullmatch(r"\d{8}-\d{6}-simulator\.txt", path.name)
    assert str(path) in section_of(result)[0]


def test_without_cache_names_the_option(simulated: Run) -> None:
    result = simulated(FAILS, "-p", "no:cacheprovider")

    assert section_of(result) == ["not kept, since pytest's cache is off: give --simcom-log-dir=DIR"]


def test_secrets_are_masked(simulated: Run) -> None:
    result = simulated(
        """
        def test_fails(simcom, simcom_broker):
            simcom.connect(simcom_broker.url, username="dut", password="correct horse")
            assert 0
        """,
        "--tb=short",
    )

    text = "\n".join(section_of(result))
    assert '"dut","\\*\\*' in text
    assert "horse" not in text


def test_silent_module_shows_transcript(run: Run, pytester: pytest.Pytester, tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as mute:
        result = run(
            "def test_it(simcom): pass", "--simcom-port", f"socket://127.0.0.1:{mute.getsockname()[1]}"
        )

    result.assert_outcomes(errors=1)
    assert section_of(result)[-1].endswith(r"> line AT\r")
