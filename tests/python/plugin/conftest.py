"""Runs of pytest inside the tests, with this plugin and no other."""

from typing import Protocol

import pytest


class Run(Protocol):
    def __call__(self, source: str, *options: object) -> pytest.RunResult: ...


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIMCOM_PORT", raising=False)
    monkeypatch.setenv("COLUMNS", "200")  # or the short summary is cut
    # Loaded by name: an editable installation may not have registered it.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run a test module with options, warnings as errors."""

    def run(source: str, *options: object) -> pytest.RunResult:
        pytester.makepyfile(source)
        # Without it the folder of a simulated module's port becomes pytest's root.
        rootdir = f"--rootdir={pytester.path}"
        return pytester.runpytest("-p", "pytest_simcom_mqtt", "-W", "error", rootdir, *map(str, options))

    return run


@pytest.fixture
def simulated(run: Run) -> Run:
    """Run a test module on a simulated module."""
    return lambda source, *options: run(source, "--simcom-port", "simulator", *options)
