"""The block of an inbound message: `+CMQTTRXSTART` … `+CMQTTRXEND`."""

from collections.abc import Iterator

from .profiles import Profile


def block_parts(profile: Profile, index: int, topic: bytes, payload: bytes) -> list[bytes]:
    """Return the pieces of one message block: start, each part of topic and payload, end.

    Other output can appear only between two pieces.
    """
    before_header = b"\r\n" if profile.blank_line_before_header else b""
    pieces = [b"\r\n+CMQTTRXSTART: %d,%d,%d\r\n" % (index, len(topic), len(payload))]
    for name, content, size in (
        (b"RXTOPIC", topic, profile.topic_part_size),
        (b"RXPAYLOAD", payload, profile.payload_part_size),
    ):
        pieces += [
            b"%b+CMQTT%b: %d,%d\r\n%b\r\n" % (before_header, name, index, len(part), part)
            for part in _split(content, size)
        ]
    pieces.append(b"%b+CMQTTRXEND: %d\r\n" % (before_header, index))
    return pieces


def _split(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
