"""A run without a module is not affected; a test that needs a module fails without a port."""

import re
import subprocess
import sys

import pytest

from plugin.conftest import Run

ORDINARY = """
    import sys

    def test_nothing():
        assert not [name for name in sys.modules if name.split(".")[0] in ("simcom_mqtt", "paho")]
"""


def test_ordinary_run_prints_the_same_as_without_plugin(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMCOM_PORT", "/dev/ttyUSB98,/dev/ttyUSB99")
    pytester.makepyfile(ORDINARY)

    results = [
        pytester.runpytest_subprocess(*options, "-p", "no:cacheprovider", "--junitxml=junit.xml")
        for options in ([], ["-p", "pytest_simcom_mqtt"])
    ]

    # The header lists the plugins, and the last line the duration.
    without, with_it = (
        [line for line in result.outlines if not re.search("^plugins: | in [0-9.]+s ", line)]
        for result in results
    )
    assert with_it == without
    assert results[1].ret == 0
    assert "simcom" not in (pytester.path / "junit.xml").read_text()


def test_ordinary_run_survives_broken_build(pytester: pytest.Pytester) -> None:
    broken = pytester.mkpydir("simcom_mqtt")
    (broken / "__init__.py").write_text("raise ImportError('the extension is not built')")
    pytester.makepyfile(
        """
        def test_nothing():
            pass

        def test_of_a_module(simcom):
            pass
        """
    )

    result = pytester.runpytest_subprocess("-p", "pytest_simcom_mqtt", "--simcom-port", "simulator")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the extension is not built*"])


def test_plugin_does_not_import_driver() -> None:
    script = """
import sys, pytest
import pytest_simcom_mqtt
for name in pytest_simcom_mqtt.PARTS: __import__("pytest_simcom_mqtt." + name)
print([name for name in sys.modules if name.split(".")[0] in ("simcom_mqtt", "paho")])
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


@pytest.mark.parametrize(
    "fixture", ["simcom_modem", "simcom", "simcom_client", "simcom_simulator", "simcom_is_simulated"]
)
def test_fixture_without_port_fails(run: Run, fixture: str) -> None:
    result = run(f"def test_it({fixture}): pass")

    result.assert_outcomes(errors=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*no port was given: run pytest with --simcom-port=*SIMCOM_PORT*"])


@pytest.mark.parametrize("marker", ["simcom_hardware", "simcom_simulator_only"])
def test_marker_without_port_fails(run: Run, marker: str) -> None:
    result = run(f"import pytest\n@pytest.mark.{marker}\ndef test_it(): pass")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no port was given*"])


def test_getfixturevalue_without_port_fails(run: Run) -> None:
    result = run("def test_it(request): request.getfixturevalue('simcom')")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no port was given*"])


def test_collect_only_opens_no_port(run: Run) -> None:
    result = run("def test_it(simcom): pass", "--collect-only", "--simcom-port", "/dev/missing")

    assert result.ret == 0
    result.stdout.no_fnmatch_line("*/dev/missing*")


def test_missing_port_fails_each_test(run: Run) -> None:
    result = run("def test_it(simcom): pass\ndef test_too(simcom): pass", "--simcom-port", "/dev/missing")

    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["SIMCom module: *no port /dev/missing*", "the module cannot be used: *"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_all_names_have_the_prefix(run: Run) -> None:
    from pytest_simcom_mqtt.port_assignment import MARKERS

    listed = run("", "--fixtures", "-v").stdout.str()
    section = listed.split("fixtures defined from pytest_simcom_mqtt.fixtures")[1].split("\n-----")[0]
    fixtures = re.findall(r"^(\w+).* -- ", section, re.MULTILINE)
    assert len(fixtures) == 9
    assert [name for name in fixtures if not name.removeprefix("_").startswith("simcom")] == []
    assert [name for name in MARKERS if not name.startswith("simcom_")] == []
    described = run("", "--help").stdout.str()
    section = described.split("SIMCom modules (simcom-mqtt):")[1].split("\n\n")[0]
    options = [word for word in section.split() if word.startswith("--")]
    assert len(options) == 4
    assert [name for name in options if not name.startswith("--simcom-")] == []


def test_fixtures_and_markers_have_descriptions(run: Run) -> None:
    fixtures = run("", "--fixtures").stdout.str()
    for name in ("modem", "client", "simulator", "is_simulated", "broker", "host", "topic_prefix"):
        assert f"simcom_{name}" in fixtures
    assert "no docstring available" not in fixtures.split("pytest_simcom_mqtt")[1].split("-----")[0]
    run("", "--markers").stdout.fnmatch_lines(
        ["@pytest.mark.simcom_hardware: *", "", "@pytest.mark.simcom_simulator_only: *"]
    )
