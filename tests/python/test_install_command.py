"""The command that installs an extra fits the way in which the package was installed."""

import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from simcom_mqtt import install_command as module
from simcom_mqtt.install_command import install_command

ROOT = Path(__file__).parents[2]


class Installed:
    """Stands for a distribution that was installed from somewhere."""

    def __init__(self, origin: dict[str, object] | None) -> None:
        self._origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self._origin is None else json.dumps(self._origin)


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'simcom-mqtt[cli]'"),
        ({"url": "file:///srv/my%20clone", "dir_info": {}}, "pip install '/srv/my clone[cli]'"),
        ({"url": "file:///srv/a.whl", "archive_info": {}}, "pip install '/srv/a.whl[cli]'"),
        (
            {"url": "https://git.example.com/a", "vcs_info": {"vcs": "git"}},
            "pip install 'simcom-mqtt[cli] @ git+https://git.example.com/a'",
        ),
        ({"url": "https://example.com/a.whl"}, "pip install 'simcom-mqtt[cli] @ https://example.com/a.whl'"),
    ],
)
def test_command_for_each_origin(
    monkeypatch: pytest.MonkeyPatch, origin: dict[str, object] | None, command: str
) -> None:
    monkeypatch.setattr(module, "distribution", lambda _name: Installed(origin))

    assert install_command("cli") == command


def test_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Installed:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "distribution", missing)

    assert install_command("demo") == "pip install 'simcom-mqtt[demo]'"


def test_editable_installation_names_the_clone() -> None:
    assert install_command("cli") == f"pip install '{ROOT}[cli]'"
