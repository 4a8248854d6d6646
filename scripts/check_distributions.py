"""Install the files in `dist/` as a user does, in a fresh environment of each Python, and publish with them.

`make wheel-check` calls it. The wheel goes into every Python from 3.11 on that this machine has, the source
distribution, which is compiled, into the one that runs this.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

LARGEST_WHEEL = 1_500_000
"""Limit in bytes."""
OLDEST_PYTHON = 11
PACKAGES = Path(__file__).parents[1] / "python"

TEST = """
import sys
import simcom_mqtt


def test_installed_package_publishes(simcom_client, simcom_topic_prefix):
    assert simcom_mqtt.__file__.startswith(sys.prefix)
    with simcom_client.capture(simcom_topic_prefix) as inbox:
        simcom_client.subscribe(simcom_topic_prefix, qos=1)
        simcom_client.publish(simcom_topic_prefix, "it works", qos=1)
        assert inbox.get(timeout=10).text() == "it works"
"""


def main() -> None:
    """Check the wheel and the source distribution of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where one wheel and one source distribution are")
    parser.add_argument(
        "--here", action="store_true", help="only the wheel, and only in the Python that runs this"
    )
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    wheel = only(folder, "*.whl")
    check_contents(wheel)
    if arguments.here:
        publish_with(sys.executable, wheel)
        return
    source = only(folder, "*.tar.gz")
    for python in pythons():
        publish_with(python, wheel)
    publish_with(sys.executable, source)


def only(folder: Path, pattern: str) -> Path:
    """Return the only file that matches the pattern."""
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        sys.exit(f"{folder} should have one {pattern}, and has {len(found)}: make wheel")
    return found[0].resolve()


def check_contents(wheel: Path) -> None:
    """Check size and tags of the wheel, and that it contains every package."""
    size = wheel.stat().st_size
    if size > LARGEST_WHEEL:
        sys.exit(f"{wheel.name} has {size} bytes, more than {LARGEST_WHEEL}")
    if sys.platform == "linux" and not re.search(r"-cp311-abi3-(many|musl)linux", wheel.name):
        sys.exit(f"{wheel.name} is not for every Python from 3.11 on, or not for every Linux")
    listing = subprocess.run(
        [sys.executable, "-m", "zipfile", "--list", wheel], capture_output=True, text=True, check=True
    ).stdout
    for package in PACKAGES.glob("*/__init__.py"):
        if f"{package.parent.name}/__init__.py" not in listing:
            sys.exit(f"{wheel.name} lacks {package.parent.name}")
    print(f"{wheel.name}: {size} bytes")


def pythons() -> Iterator[str]:
    """Yield one Python of each version on this machine, from the path or from pyenv."""
    for minor in range(OLDEST_PYTHON, 20):
        from_pyenv = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))
        candidates = [shutil.which(f"python3.{minor}"), *map(str, from_pyenv)]
        yield from next(([python] for python in candidates if python and can_make_environments(python)), [])


def can_make_environments(python: str) -> bool:
    """Return True if this Python runs (a pyenv shim may not) and has the modules for `python -m venv`."""
    probe = [python, "-c", "import ensurepip, venv"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def publish_with(python: str, distribution: Path) -> None:
    """Install the distribution in a new environment, and publish from a test and from the terminal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([python, "-m", "venv", folder / "environment"], check=True)
        programs = folder / "environment" / ("Scripts" if sys.platform == "win32" else "bin")
        pip = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        # Without Mosquitto, amqtt is the broker.
        mosquitto = shutil.which(
            "mosquitto", path=f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin"
        )
        extras = "cli,pytest" if mosquitto else "cli,demo,pytest"
        subprocess.run([*pip, "install", f"{distribution}[{extras}]"], check=True, cwd=folder)
        (folder / "test_installed.py").write_text(TEST)
        for command in (["pytest", "-W", "error", "--simcom-port=simulator"], ["simcom-mqtt", "demo"]):
            run_outside(folder, [str(programs / command[0]), *command[1:]])
        version = subprocess.run(
            [programs / "python", "-V"], capture_output=True, text=True, check=True
        ).stdout
    print(f"{distribution.name}: publishes on {version.strip()}")


def run_outside(folder: Path, command: list[str]) -> None:
    """Run a command in a folder outside of this project; print its output if it fails."""
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} fails:\n{result.stdout}{result.stderr}")


if __name__ == "__main__":
    main()
