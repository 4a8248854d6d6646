"""Importing the package: fast, since it loads few modules, and yet with every public name."""

import subprocess
import sys

import pytest

import simcom_mqtt

LOADED = """
import sys, logging, __future__
before = set(sys.modules)
import simcom_mqtt
print(*sorted(set(sys.modules) - before))
"""


def test_import_loads_few_modules_beside_logging() -> None:
    result = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path = {sys.path!r}; {LOADED}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.split() == ["simcom_mqtt", "simcom_mqtt._native", "simcom_mqtt.errors"]


def test_names_that_are_imported_on_use() -> None:
    assert set(simcom_mqtt.__all__) <= set(dir(simcom_mqtt))
    assert all(getattr(simcom_mqtt, name) is not None for name in simcom_mqtt.__all__)


def test_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'simcom_mqtt' has no attribute 'SimcomMQTT'"):
        simcom_mqtt.SimcomMQTT  # type: ignore[attr-defined] # noqa: B018
