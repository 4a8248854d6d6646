"""Package metadata that the wheel is made from."""

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
MANIFEST = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_is_in_the_wheel() -> None:
    packages = sorted(path.parent.name for path in (ROOT / "python").glob("*/__init__.py"))

    assert sorted(MANIFEST["tool"]["maturin"]["python-packages"]) == packages
    assert [name for name in packages if not (ROOT / "python" / name / "py.typed").exists()] == []


def test_pytest_entry_point_has_the_name_of_its_module() -> None:
    # With another name, `-p pytest_simcom_mqtt` would register the plugin a second time.
    ((name, module),) = MANIFEST["project"]["entry-points"]["pytest11"].items()

    assert name == module
    assert hasattr(import_module(module), "pytest_addoption")


def test_import_on_free_threaded_python_names_the_ordinary_build() -> None:
    pretend = "import sys; sys.version = '3.14.0 free-threading build'; import simcom_mqtt"
    finished = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)

    assert finished.returncode == 1
    *_, last = finished.stderr.splitlines()
    assert last.startswith(
        "ImportError: simcom-mqtt does not support free-threaded Python yet: use the ordinary"
    )
