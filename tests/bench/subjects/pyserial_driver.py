"""A typical driver on pyserial, with the two common ways to read."""

from collections.abc import Callable
from typing import Protocol

import serial

TIMEOUT = 10.0


class Reader(Protocol):
    """Interface of both ways to read."""

    def line(self) -> bytes:
        """Returns the next line that is not empty, without its line end."""

    def prompt(self) -> None:
        """Waits for the `>`."""

    def exactly(self, count: int) -> bytes:
        """Returns this many bytes, with any content."""


class LineReader:
    """`readline()` for lines, `read(1)` until the prompt, as in public scripts."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port

    def line(self) -> bytes:
        while True:
            line = bytes(self._port.readline())
            if not line:
                raise TimeoutError("the module sends nothing")
            if text := line.strip():
                return text

    def prompt(self) -> None:
        while (byte := self._port.read(1)) != b">":
            if not byte:
                raise TimeoutError("no prompt")

    def exactly(self, count: int) -> bytes:
        return bytes(self._port.read(count))


class BufferReader:
    """`read(in_waiting or 1)` into a buffer that is searched: the best way there is."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._buffer = bytearray()

    def line(self) -> bytes:
        while True:
            while (end := self._buffer.find(b"\n")) < 0:
                self._fill()
            text = bytes(self._buffer[:end]).strip()
            del self._buffer[: end + 1]
            if text:
                return text

    def prompt(self) -> None:
        while (at := self._buffer.find(b">")) < 0:
            self._fill()
        del self._buffer[: at + 1]

    def exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _fill(self) -> None:
        read = self._port.read(self._port.in_waiting or 1)
        if not read:
            raise TimeoutError("the module sends nothing")
        self._buffer += read


READERS: dict[str, Callable[[serial.Serial], Reader]] = {"readline": LineReader, "in_waiting": BufferReader}


class PyserialDriver:
    """The minimum that works: no threads, no timeouts, no second client."""

    def __init__(self, port: str, reading: str, baudrate: int = 115_200) -> None:
        self.port = serial.Serial(port, baudrate, timeout=TIMEOUT)
        self._reader = READERS[reading](self.port)

    def publish(self, topic: bytes, payload: bytes, qos: int) -> None:
        """Sends TOPIC, PAYLOAD and PUB, and waits for the result."""
        self._enter(b"AT+CMQTTTOPIC=0,%d\r" % len(topic), topic)
        self._enter(b"AT+CMQTTPAYLOAD=0,%d\r" % len(payload), payload)
        self.port.write(b"AT+CMQTTPUB=0,%d,60\r" % qos)
        self._expect(b"OK")
        self._expect(b"+CMQTTPUB: 0,0")

    def read_message(self) -> tuple[bytes, bytes]:
        """Returns topic and payload of the next message, read by their lengths."""
        topic, payload = bytearray(), bytearray()
        while True:
            line = self._reader.line()
            if line.startswith(b"+CMQTTRXTOPIC"):
                topic += self._reader.exactly(int(line.rpartition(b",")[2]))
            elif line.startswith(b"+CMQTTRXPAYLOAD"):
                payload += self._reader.exactly(int(line.rpartition(b",")[2]))
            elif line.startswith(b"+CMQTTRXEND"):
                return bytes(topic), bytes(payload)

    def _enter(self, command: bytes, data: bytes) -> None:
        self.port.write(command)
        self._reader.prompt()
        self.port.write(data)
        self._expect(b"OK")

    def _expect(self, expected: bytes) -> None:
        while (line := self._reader.line()) != expected:
            if line == b"ERROR":
                raise RuntimeError("the module said ERROR")
