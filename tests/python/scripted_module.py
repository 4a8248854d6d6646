"""The module's end of a pseudo-terminal that gives canned answers: what the simulated module never says."""

import os
import select
import threading
import tty
from collections.abc import Mapping
from typing import Self

OK = b"\r\nOK\r\n"
# What a pseudo-terminal that has room takes without waiting.
SOON_WRITTEN = 1024


def default_answer(line: str) -> bytes:
    """A range for a test command, else OK."""
    if line.endswith("=?"):
        return f"\r\n{line.removeprefix('AT').removesuffix('=?')}: (0-1)\r\n".encode() + OK
    return OK


class ScriptedModule:
    """Answers while the `with` block runs: what `answers` has for a command line, else `default_answer`."""

    def __init__(self, answers: Mapping[str, bytes] | None = None, *, mute: bool = False) -> None:
        """With `mute` it says nothing at all."""
        self.answers = dict(answers or {})
        self.received: list[str] = []
        self._mute = mute
        self._received_one = threading.Condition()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._wake_reader, self._wake_writer = os.pipe()
        self._thread = threading.Thread(target=self._serve)

    @property
    def port(self) -> str:
        return os.ttyname(self._slave)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._wake_writer)
        self._thread.join()
        for descriptor in (self._wake_reader, self._master, self._slave):
            os.close(descriptor)

    def say(self, raw: bytes) -> None:
        """Put bytes on the line, now."""
        os.write(self._master, raw)

    def fall_silent(self) -> None:
        """Answer nothing any more."""
        self._mute = True

    def wait_for_more(self, count: int, timeout: float = 30) -> None:
        """Return once more than that many command lines were read."""
        with self._received_one:
            assert self._received_one.wait_for(lambda: len(self.received) > count, timeout), self.received

    def say_some(self, raw: bytes) -> int:
        """Put as much of it on the line as fits soon, and return how much that was."""
        _, writable, _ = select.select([], [self._master], [], 0.05)
        return os.write(self._master, raw[:SOON_WRITTEN]) if writable else 0

    def wait_for_command(self, command: str, timeout: float = 30) -> None:
        """Return once that command line was read."""
        with self._received_one:
            assert self._received_one.wait_for(lambda: command in self.received, timeout), self.received

    def _serve(self) -> None:
        pending = b""
        while True:
            readable, _, _ = select.select([self._master, self._wake_reader], [], [])
            if self._wake_reader in readable:
                return
            pending += os.read(self._master, 4096)
            *lines, pending = pending.split(b"\r")
            for line in lines:
                self._answer(line.decode(errors="replace"))

    def _answer(self, line: str) -> None:
        # First, so that whoever got the answer finds the question here.
        with self._received_one:
            self.received.append(line)
            self._received_one.notify_all()
        if not self._mute:
            self.say(self.answers.get(line, default_answer(line)))
