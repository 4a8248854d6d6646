"""A module on a pseudo-terminal with scripted answers, for output that the simulated module never sends."""

import os
import select
import threading
import tty
from collections.abc import Mapping
from typing import Self

OK = b"\r\nOK\r\n"
# A pseudo-terminal with free space takes this many bytes without waiting.
SOON_WRITTEN = 1024


def default_answer(line: str) -> bytes:
    """Returns a range for a test command, else OK."""
    if line.endswith("=?"):
        return f"\r\n{line.removeprefix('AT').removesuffix('=?')}: (0-1)\r\n".encode() + OK
    return OK


class ScriptedModule:
    """Answers commands while the `with` block runs: from `answers`, else with `default_answer`."""

    def __init__(self, answers: Mapping[str, bytes] | None = None, *, mute: bool = False) -> None:
        """With `mute` the module sends nothing at all."""
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
        """Puts bytes on the line."""
        os.write(self._master, raw)

    def fall_silent(self) -> None:
        """Stops answering."""
        self._mute = True

    def wait_for_more(self, count: int, timeout: float = 30) -> None:
        """Returns once more than this many command lines were read."""
        with self._received_one:
            assert self._received_one.wait_for(lambda: len(self.received) > count, timeout), self.received

    def say_some(self, raw: bytes) -> int:
        """Puts on the line what fits within 50 ms, and returns the number of bytes."""
        _, writable, _ = select.select([], [self._master], [], 0.05)
        return os.write(self._master, raw[:SOON_WRITTEN]) if writable else 0

    def wait_for_command(self, command: str, timeout: float = 30) -> None:
        """Returns once this command line was read."""
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
        # Record the command first: a test that has the answer must find the command.
        with self._received_one:
            self.received.append(line)
            self._received_one.notify_all()
        if not self._mute:
            self.say(self.answers.get(line, default_answer(line)))
