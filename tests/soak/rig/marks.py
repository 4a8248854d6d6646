"""Messages that say who they are and whether they are whole: by module, client, number and checksum."""

import random
import re
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

Direction = Literal["up", "down"]
"""From the module, or to it."""

LONGEST_TOPIC = 1024
_TOPIC = re.compile(rb"soak/(up|down)/(\d+)/(\d)/(\d+)/([0-9a-f]{8})(?:/t+)?")
_FAKE_BLOCK = (
    b"\r\n+CMQTTRXSTART: 0,3,2\r\n+CMQTTRXTOPIC: 0,3\r\na/b"
    b"\r\n+CMQTTRXPAYLOAD: 0,2\r\nhi\r\n+CMQTTRXEND: 0\r\n"
)
_NASTY = (
    b"\r\nOK\r\n",
    b"\r\nERROR\r\n",
    b"\r\n>",
    b"\r\n+CMQTTPUB: 0,0\r\n\r\n+CMQTTCONNLOST: 1,1\r\n\r\n+CMQTTNONET\r\n",
    _FAKE_BLOCK,
    _FAKE_BLOCK.partition(b"hi")[0],
    bytes(range(256)),
    "Grüße, ☃ und 😀".encode(),
    b"\r" * 40,
    b"AT+CRESET\r",
)
_LARGE_EVERY = 100
_LARGEST_EVERY = 1000
_LARGE = 2000
_LARGEST: dict[Direction, int] = {"up": 4096, "down": 10_240}


@dataclass(frozen=True)
class Mark:
    """Which message it is."""

    direction: Direction
    module: int
    client: int
    number: int


def make_message(mark: Mark) -> tuple[bytes, bytes]:
    """Topic and payload, the same for the same mark."""
    payload = _payload(mark)
    head = f"soak/{mark.direction}/{mark.module}/{mark.client}/{mark.number}".encode()
    tail = b"/".ljust(LONGEST_TOPIC, b"t") if mark.number % _LARGE_EVERY == _LARGE_EVERY // 2 else b""
    tail = tail[: LONGEST_TOPIC - len(head) - len("/01234567")]
    return b"%b/%08x%b" % (head, _checksum(head, tail, payload), tail), payload


def read_mark(topic: bytes, payload: bytes) -> Mark | None:
    """Which message this is; None if a byte of it is not what it was."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        return None
    direction, module, client, number, checksum = match.groups()
    head, tail = topic[: match.start(5) - 1], topic[match.end(5) :]
    if int(checksum, 16) != _checksum(head, tail, payload):
        return None
    return Mark("up" if direction == b"up" else "down", int(module), int(client), int(number))


def _checksum(head: bytes, tail: bytes, payload: bytes) -> int:
    return crc32(payload, crc32(tail, crc32(head)))


def _payload(mark: Mark) -> bytes:
    if not mark.number % _LARGEST_EVERY:
        return _random(mark).randbytes(_LARGEST[mark.direction])
    if not mark.number % _LARGE_EVERY:
        return _random(mark).randbytes(_LARGE)
    kind = mark.number % (2 * len(_NASTY) + 1)
    if kind == 2 * len(_NASTY):
        return b""
    return b"%d" % mark.number if kind % 2 else b"%d%b" % (mark.number, _NASTY[kind // 2])


def _random(mark: Mark) -> random.Random:
    return random.Random(mark.number)  # noqa: S311 - no secret
