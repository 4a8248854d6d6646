"""Python scripts as processes of their own, to test signals and the exit of an interpreter."""

import functools
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import simcom_mqtt

# Folder of the package. Its extension works with every Python from 3.11 on.
PACKAGE_FOLDER = Path(simcom_mqtt.__file__).parents[1]

PRELUDE = f"""
import sys
sys.path.append({str(PACKAGE_FOLDER)!r})
import threading, time
from simcom_mqtt import *
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that can load the extension."""

    program: str
    version: tuple[int, int]

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


@functools.cache
def interpreters() -> Sequence[Interpreter]:
    """Returns the Python of the tests, and one of each other version that this machine has."""
    others = {minor: _other_python(minor) for minor in range(11, 20) if minor != sys.version_info.minor}
    programs = {sys.version_info.minor: sys.executable} | {
        key: found for key, found in others.items() if found
    }
    return [Interpreter(program, (3, minor)) for minor, program in sorted(programs.items())]


def _other_python(minor: int) -> str | None:
    # First those of pyenv itself: its shims on the path take a second to start.
    installed = sorted(map(str, Path.home().glob(f".pyenv/versions/3.{minor}[.-]*/bin/python")))
    on_the_path = shutil.which(f"python3.{minor}")
    candidates = [*installed, on_the_path] if on_the_path else installed
    return next((program for program in candidates if _loads_the_extension(program)), None)


def _loads_the_extension(program: str) -> bool:
    return subprocess.run([program, "-ISc", PRELUDE], capture_output=True, check=False).returncode == 0


@contextmanager
def script(
    source: str, *arguments: str, program: str = sys.executable, options: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Runs the source in a Python process, which is killed at the end of the block."""
    process = subprocess.Popen(
        [program, "-IS", "-X", "faulthandler", "-W", "error", *options, "-c", PRELUDE + source, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_line(process: subprocess.Popen[str], expected: str) -> None:
    """Returns once the script has printed this line as its next one."""
    assert process.stdout
    line = process.stdout.readline().rstrip("\n")
    if line != expected:
        process.kill()
        raise AssertionError((line, *process.communicate()))


def resume(process: subprocess.Popen[str]) -> None:
    """Sends an empty line to a script that waits for one."""
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


# {wait} is the call to interrupt. The other thread runs only when that call releases the interpreter.
INTERRUPTED = """
begun = threading.Event()
def tell():
    begun.wait()
    print("waiting", flush=True)
threading.Thread(target=tell, daemon=True).start()
sys.setswitchinterval(60)
print("ready", flush=True)
input()
try:
    begun.set()
    {wait}
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
"""


def interrupt(process: subprocess.Popen[str]) -> float:
    """Sends Ctrl-C to a waiting script, and returns the seconds until its KeyboardInterrupt."""
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    noticed = re.search("^interrupted (.*)$", output, re.MULTILINE)
    assert noticed, (output, errors)
    return float(noticed[1]) - sent
