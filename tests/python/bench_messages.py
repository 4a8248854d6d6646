"""Messages of random sequences: each has a topic of its own by which it is recognised."""

from dataclasses import dataclass

from hypothesis import strategies as st

from rig.message_ids import Direction, MessageId

FAKE_BLOCK = (
    b"\r\n+CMQTTRXSTART: 0,3,2\r\n+CMQTTRXTOPIC: 0,3\r\na/b"
    b"\r\n+CMQTTRXPAYLOAD: 0,2\r\nhi\r\n+CMQTTRXEND: 0\r\n"
)
HOSTILE_PAYLOADS = (
    b"",
    b"\r\n",
    b"\r\nOK\r\n",
    b"\r\nERROR\r\n",
    b"\r\n>",
    b"OK",
    b"\r\n+CMQTTPUB: 0,0\r\n\r\n+CMQTTPUB: 1,0\r\n",
    b"\r\n+CMQTTCONNLOST: 0,1\r\n\r\n+CMQTTNONET\r\n\r\nRDY\r\n",
    FAKE_BLOCK,
    FAKE_BLOCK.partition(b"hi")[0],
    FAKE_BLOCK[FAKE_BLOCK.index(b"hi") :],
    bytes(range(256)),
    b"\r" * 40,
    b"AT+CRESET\r",
    "Grüße, ☃".encode(),
)
PAYLOADS = st.sampled_from(HOSTILE_PAYLOADS) | st.binary(max_size=60)
TOPIC_ENDS = {"plain": "", "OK": "/OK", "prompt": "/>", "UTF-8": "/☃", "in parts": "/" + "t" * 700}

LARGEST_SENT = 4096
LARGEST_RECEIVED = 10_240


def large_payload(size: int) -> bytes:
    """Returns a payload of this size with the bytes 0–255 in turn."""
    return (bytes(range(256)) * (size // 256 + 1))[:size]


@dataclass(frozen=True)
class SentMessage:
    """A message that was sent, with its id."""

    message_id: MessageId
    topic: bytes
    payload: bytes


class MessageRegister:
    """All messages that were made, to recognise each when it arrives."""

    def __init__(self) -> None:
        self._by_topic: dict[bytes, SentMessage] = {}

    def make(self, direction: Direction, sequence: int, client: int, end: str, payload: bytes) -> SentMessage:
        """Returns a new message with a topic of its own."""
        number = len(self._by_topic)
        topic = f"line/{direction}/{sequence}/{client}/{number}{end}".encode()
        sent = SentMessage(MessageId(direction, sequence, client, number), topic, payload)
        self._by_topic[topic] = sent
        return sent

    def read(self, topic: bytes, payload: bytes) -> MessageId | None:
        """Returns the id of the message, or None if a byte of it was altered."""
        sent = self._by_topic.get(topic)
        return sent.message_id if sent is not None and sent.payload == payload else None
