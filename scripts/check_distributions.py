"""Install what is in `dist/` as a user does, in a fresh environment of each Python, and publish with it.

`make wheel-check` calls it. The wheel goes into every Python from 3.11 on that this machine has, the source
distribution, which is compiled, into the one that runs this.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

LARGEST_WHEEL = 1_500_000
"""In bytes."""
OLDEST_PYTHON = 11
PACKAGES = Path(__file__).parents[1] / "python"

SCRIPT = """
import sys
from simcom_mqtt import SimcomMqtt, __file__ as where
from simcom_mqtt.local_broker import local_broker
from simcom_mqtt.simulator import SimulatedModem

assert where.startswith(sys.prefix), f"{where} is not what was installed"
with local_broker() as broker, SimulatedModem() as module, SimcomMqtt(module.port) as modem:
    with modem.connect(broker.url) as client, client.capture("dist") as inbox:
        client.subscribe("dist", qos=1)
        client.publish("dist", "it works", qos=1)
        print(inbox.get(timeout=10).text())
"""


def main() -> None:
    """Check the wheel and the source distribution of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where one wheel and one source distribution are")
    folder = parser.parse_args().folder
    wheel, source = only(folder, "*.whl"), only(folder, "*.tar.gz")
    check_contents(wheel)
    for python in pythons():
        publish_with(python, wheel)
    publish_with(sys.executable, source)


def only(folder: Path, pattern: str) -> Path:
    """The one file that fits."""
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        sys.exit(f"{folder} should have one {pattern}, and has {len(found)}: make wheel")
    return found[0].resolve()


def check_contents(wheel: Path) -> None:
    """Its size, its tags, and whether every package is in it."""
    size = wheel.stat().st_size
    if size > LARGEST_WHEEL:
        sys.exit(f"{wheel.name} has {size} bytes, more than {LARGEST_WHEEL}")
    if sys.platform == "linux" and not re.search(r"-cp311-abi3-manylinux", wheel.name):
        sys.exit(f"{wheel.name} is not for every Python from 3.11 on, or not for every Linux")
    listing = subprocess.run(
        [sys.executable, "-m", "zipfile", "--list", wheel], capture_output=True, text=True, check=True
    ).stdout
    for package in PACKAGES.glob("*/__init__.py"):
        if f"{package.parent.name}/__init__.py" not in listing:
            sys.exit(f"{wheel.name} lacks {package.parent.name}")
    print(f"{wheel.name}: {size} bytes")


def pythons() -> Iterator[str]:
    """One of each version that this machine has, on the path or from pyenv."""
    for minor in range(OLDEST_PYTHON, 20):
        from_pyenv = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))
        candidates = [shutil.which(f"python3.{minor}"), *map(str, from_pyenv)]
        yield from next(([python] for python in candidates if python and can_make_environments(python)), [])


def can_make_environments(python: str) -> bool:
    """Whether it runs, which pyenv's stand-ins do not always, and has what `python -m venv` needs."""
    probe = [python, "-c", "import ensurepip, venv"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def publish_with(python: str, distribution: Path) -> None:
    """Install it there, into an environment of its own, and run the script outside of this folder."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        subprocess.run([python, "-m", "venv", environment], check=True)
        installed = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        pip = [str(installed), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", f"{distribution}[simulator]"], check=True, cwd=folder)
        result = subprocess.run(
            [installed, "-I", "-W", "error", "-c", SCRIPT],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        version = subprocess.run([installed, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    if (result.returncode, result.stdout) != (0, "it works\n"):
        sys.exit(f"{distribution.name} fails on {version}:\n{result.stdout}{result.stderr}")
    print(f"{distribution.name}: publishes on {version}")


if __name__ == "__main__":
    main()
