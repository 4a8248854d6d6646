"""Processes of a measurement: the bench peer (module side) and the subject that is measured (host side)."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

BENCH = Path(__file__).resolve().parent.parent
Measured = dict[str, Any]


class Peer:
    """Modules on pseudo-terminals, which run while the `with` block does."""

    def __init__(self, *, baudrate: int = 0, round_trip_ms: int = 0, ports: int = 1) -> None:
        options = {"--baudrate": baudrate, "--round-trip-ms": round_trip_ms, "--ports": ports}
        command = [program("bench-peer"), *(str(word) for option in options.items() for word in option)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports: list[str] = json.loads(_line_of(self._process))

    @property
    def port(self) -> str:
        """The first port."""
        return self.ports[0]

    def tell(self, order: str) -> None:
        """Sends an order; `bench_peer.rs` lists the orders."""
        assert self._process.stdin
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()

    def all_stats(self) -> list[Measured]:
        """Returns the measurements of each port since the last reset."""
        self.tell("stats")
        stats: list[Measured] = json.loads(_line_of(self._process))
        return stats

    def stats(self) -> Measured:
        """Returns the measurements of the first port since the last reset."""
        return self.all_stats()[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _end(self._process)


class Subject:
    """A process that prepares, waits for the start, and returns measurements."""

    def __init__(self, command: Sequence[str | int]) -> None:
        words = [str(word) for word in command]
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(BENCH)},
        )
        self._name = " ".join(words)
        ready = _line_of(self._process)
        assert ready == "ready", f"{self._name} printed {ready!r}"

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    def start(self) -> None:
        """Starts the measurement."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def result(self) -> Measured:
        """Waits for the measurements and returns them."""
        measured: Measured = json.loads(_line_of(self._process))
        return measured

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _end(self._process)


def python(module: str, *arguments: str | int) -> list[str | int]:
    """Returns the command that runs a subject of this suite."""
    return [sys.executable, "-m", f"subjects.{module}", *arguments]


def run_on(peer: Peer, command: Sequence[str | int]) -> Measured:
    """Runs a subject on a peer and resets the peer's measurements at the start."""
    with Subject(command) as subject:
        peer.tell("reset")
        subject.start()
        return subject.result()


def program(name: str) -> str:
    """Returns the path of a program of the bench crate."""
    return str(_build("atat" if name == "atat-host" else None) / name)


@cache
def _build(feature: str | None) -> Path:
    """Builds the bench crate, or the program with that feature, in release; returns at once if up to date."""
    manifest = ["--manifest-path", str(BENCH / "Cargo.toml")]
    # Only this program: with another feature, cargo would build all others again.
    features = ["--features", feature, "--bin", "atat-host"] if feature else []
    subprocess.run(["cargo", "build", "--locked", "--quiet", "--release", *manifest, *features], check=True)
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--no-deps", *manifest],
        check=True,
        capture_output=True,
    )
    return Path(json.loads(metadata.stdout)["target_directory"]) / "release"


def _line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended with status {process.wait()}")
    return line.strip()


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    assert process.stdout
    process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
