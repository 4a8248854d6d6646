"""The terminal command as a user runs it: in this process, in a process of its own, or on a terminal."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from click.testing import CliRunner, Result

from simcom_mqtt.cli.application import application

COMMAND = [sys.executable, "-W", "error", "-m", "simcom_mqtt"]
ENVIRONMENT = {"SIMCOM_PORT": "", "SIMCOM_PASSWORD": "", "PYTHONUNBUFFERED": ""}
"""The tests do not depend on these variables of the caller; an empty one is as good as none."""


def run(*arguments: object, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> Result:
    """Run a command in this process, without a terminal and without a process around it."""
    return CliRunner().invoke(
        application,
        [str(argument) for argument in arguments],
        input=stdin,
        env={**ENVIRONMENT, **(env or {})},
        prog_name="simcom-mqtt",
    )


def lines_of(*arguments: object, stdin: bytes | None = None) -> list[str]:
    """Return the output of a command that must succeed and write nothing to standard error."""
    result = run(*arguments, stdin=stdin)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout.splitlines()


@contextmanager
def process(
    *arguments: object,
    env: Mapping[str, str] | None = None,
    started_by: Sequence[str] = (),
    stdout: int | IO[bytes] = subprocess.PIPE,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process of its own, which does not outlive the block."""
    command = subprocess.Popen(
        [*started_by, *COMMAND, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **ENVIRONMENT, **(env or {})},
    )
    try:
        yield command
    finally:
        if command.poll() is None:
            command.kill()
        for stream in (command.stdin, command.stdout, command.stderr):
            if stream:
                stream.close()
        command.wait()


class Terminal:
    """A command on a terminal of 100 columns: a test can wait for output, and press keys."""

    def __init__(self, *arguments: object, env: Mapping[str, str] | None = None) -> None:
        self._keyboard, screen = pty.openpty()
        self.shown = b""
        environment = {**os.environ, **ENVIRONMENT, "TERM": "xterm-256color", "COLUMNS": "100"}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=screen,
            stdout=screen,
            stderr=screen,
            # Its own terminal session, so that the key Ctrl-C reaches it.
            preexec_fn=_take_terminal,
            env={**environment, **(env or {})},
        )
        os.close(screen)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._keyboard)

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._keyboard, keys)

    def wait_for(self, pattern: bytes) -> "re.Match[bytes]":
        """Read the screen until the pattern appears."""
        while not (found := re.search(pattern, self.shown)):
            piece = self._read()
            assert piece, self.shown
        return found

    def end(self) -> int:
        """Read to the end, and return the exit status."""
        while self._read():
            pass
        return self.process.wait(timeout=30)

    def _read(self) -> bytes:
        try:
            piece = os.read(self._keyboard, 4096)
        except OSError:  # EIO: the last process has left the terminal
            return b""
        self.shown += piece
        return piece


def _take_terminal() -> None:
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
