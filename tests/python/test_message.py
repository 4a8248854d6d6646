"""`Message` as a value: equality, text, JSON, filters."""

import copy
import pickle

import pytest

from simcom_mqtt import Message


def test_message_has_its_fields() -> None:
    message = Message("dut/state", b"on", 1, 1.5)

    assert (message.topic, message.topic_bytes) == ("dut/state", b"dut/state")
    assert (message.payload, message.client_index, message.received_at) == (b"on", 1, 1.5)
    assert Message(b"dut/\xff", b"").topic == "dut/\udcff"
    assert Message("dut/\udcff", b"").topic_bytes == b"dut/\xff"
    assert "dut/state" in repr(message)
    assert message.payload == b"on"


def test_messages_are_equal_without_their_time() -> None:
    message = Message("a/b", b"x", 1, 1.0)

    assert message == Message(b"a/b", b"x", 1, 2.0)
    assert hash(message) == hash(Message("a/b", b"x", 1, 2.0))
    assert message != Message("a/b", b"x", 0)
    assert message != Message("a/c", b"x", 1)
    assert message != Message("a/b", b"y", 1)
    assert message != ("a/b", b"x", 1)


def test_message_is_immutable() -> None:
    with pytest.raises(AttributeError):
        Message("a/b", b"x").payload = b"y"  # type: ignore[misc]


def test_payload_as_text_and_json() -> None:
    assert Message("a", "käse".encode()).text() == "käse"
    assert Message("a", b"k\xe4se").text("latin-1") == "käse"
    assert Message("a", b'{"on": [1, 2.5, null]}').json() == {"on": [1, 2.5, None]}
    with pytest.raises(UnicodeDecodeError):
        Message("a", b"\xff").text()
    with pytest.raises(ValueError, match="Expecting value"):
        Message("a", b"no json").json()


@pytest.mark.parametrize("message", [Message("a/b", b"x", 1, 1.5), Message(b"\xff", b"\0")])
def test_message_survives_pickling_and_copying(message: Message) -> None:
    for copied in (pickle.loads(pickle.dumps(message)), copy.copy(message), copy.deepcopy(message)):
        assert copied == message
        assert copied.received_at == message.received_at


@pytest.mark.parametrize(
    ("topic", "topic_filter", "matches"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/c", False),
        ("a/b", "a/+", True),
        ("a/b", "+/b", True),
        ("a/b", "+", False),
        ("a/b", "#", True),
        ("a/b", "a/#", True),
        ("a", "a/#", True),
        ("ab", "a/#", False),
        ("a/b/c", "a/+", False),
        ("a/b/c", "a/+/c", True),
        ("a//c", "a/+/c", True),
        ("/a", "+/a", True),
        ("/a", "/+", True),
        ("/a", "+", False),
        ("$SYS/load", "#", False),
        ("$SYS/load", "+/load", False),
        ("$SYS/load", "$SYS/#", True),
        ("a/$x", "a/+", True),
        ("a/b", "$share/group/a/+", True),
        ("a/b", "$share/group/b/+", False),
        ("ä/ö", "ä/+", True),
    ],
)
def test_matches_follows_the_filter_rules_of_mqtt(topic: str, topic_filter: str, matches: bool) -> None:
    assert Message(topic, b"").matches(topic_filter) is matches
    assert Message(topic.encode(), b"").matches(topic_filter.encode()) is matches
