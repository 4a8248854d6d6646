"""Messages with an id and a checksum: module, client and number can be read back from topic and payload."""

import random
import re
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

Direction = Literal["up", "down"]
"""From the module (up), or to the module (down)."""

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
class MessageId:
    """Identity of a message."""

    direction: Direction
    module: int
    client: int
    number: int


def make_message(message_id: MessageId) -> tuple[bytes, bytes]:
    """Returns topic and payload: always the same for the same id."""
    payload = _payload(message_id)
    head = f"soak/{message_id.direction}/{message_id.module}/{message_id.client}/{message_id.number}".encode()
    tail = b"/".ljust(LONGEST_TOPIC, b"t") if message_id.number % _LARGE_EVERY == _LARGE_EVERY // 2 else b""
    tail = tail[: LONGEST_TOPIC - len(head) - len("/01234567")]
    return b"%b/%08x%b" % (head, _checksum(head, tail, payload), tail), payload


def read_message_id(topic: bytes, payload: bytes) -> MessageId | None:
    """Returns the id of the message, or None if a byte of it was altered."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        return None
    direction, module, client, number, checksum = match.groups()
    head, tail = topic[: match.start(5) - 1], topic[match.end(5) :]
    if int(checksum, 16) != _checksum(head, tail, payload):
        return None
    return MessageId("up" if direction == b"up" else "down", int(module), int(client), int(number))


def _checksum(head: bytes, tail: bytes, payload: bytes) -> int:
    return crc32(payload, crc32(tail, crc32(head)))


def _payload(message_id: MessageId) -> bytes:
    if not message_id.number % _LARGEST_EVERY:
        return _random(message_id).randbytes(_LARGEST[message_id.direction])
    if not message_id.number % _LARGE_EVERY:
        return _random(message_id).randbytes(_LARGE)
    kind = message_id.number % (2 * len(_NASTY) + 1)
    if kind == 2 * len(_NASTY):
        return b""
    return b"%d" % message_id.number if kind % 2 else b"%d%b" % (message_id.number, _NASTY[kind // 2])


def _random(message_id: MessageId) -> random.Random:
    return random.Random(message_id.number)  # noqa: S311 - no secret
