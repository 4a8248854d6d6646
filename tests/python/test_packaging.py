"""Package metadata that the wheel is made from."""

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
