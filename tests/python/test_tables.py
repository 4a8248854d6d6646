"""HTML tables of messages and values in notebooks: readable, and received text is escaped."""

from datetime import datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcom_mqtt import Message, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


class Table(HTMLParser):
    """Cells, elements and attributes of an HTML table."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.caption = ""
        self._in = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += attrs
        self._in = tag if tag in ("td", "th", "caption", "code") else self._in
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self._in == "caption":
            self.caption += data
        else:
            self.rows[-1][-1] += data

    def fields(self) -> dict[str, str]:
        return {row[0]: row[1] for row in self.rows}


ELEMENTS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "code"}


def fields_of(message: Message) -> dict[str, str]:
    table = Table(message._repr_html_())
    assert table.elements <= ELEMENTS
    assert table.attributes == []
    return table.fields()


def test_message_table_shows_its_fields() -> None:
    fields = fields_of(Message("dut/state", "on, 23 °C", 1, 1.5))

    assert fields["topic"] == "dut/state"
    assert fields["payload"] == "on, 23 °C"
    assert (fields["length"], fields["client"]) == ("10 bytes", "1")
    assert fields["received"] == datetime.fromtimestamp(1.5).astimezone().isoformat(" ", "milliseconds")


@pytest.mark.parametrize("topic", [HOSTILE, "a/</td></tr></table><script>", "&lt;script&gt;"])
def test_received_html_is_escaped(topic: str) -> None:
    fields = fields_of(Message(topic, topic))

    assert fields["topic"] == topic
    assert fields["payload"] == topic


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", ""),
        (b"\x00\xff", "00 ff"),
        (bytes(range(200, 256)), bytes(range(200, 232)).hex(" ") + " …"),
        (b"two\r\nlines", "two\\r\\nlines"),
        (b"\x1b[31mred", "1b 5b 33 31 6d 72 65 64"),
        # A right-to-left override would reverse the displayed text.
        ("a\u202eb".encode(), "61 e2 80 ae 62"),
        ("ä".encode() * 3000, "ä" * 200 + "…"),
        (b"x" * 3 + "ä".encode() * 3000, "xxx" + "ä" * 197 + "…"),
        (b"x" * 10_240, "x" * 200 + "…"),
        (b"x" * 803 + b"\xc3", (b"x" * 32).hex(" ") + " …"),
        (b"x" * 803 + b"\xc3\xa4", "x" * 200 + "…"),
        (b"valid at first" + b"\xff", (b"valid at first\xff").hex(" ")),
    ],
)
def test_payload_cell_is_readable(payload: bytes, expected: str) -> None:
    assert fields_of(Message("a", payload))["payload"] == expected


@pytest.mark.parametrize("topic", [b"dut/\xff", "dut/\u202e", "dut/\x07"])
def test_unprintable_topic_is_escaped(topic: str | bytes) -> None:
    html = Message(topic, b"")._repr_html_()

    assert html.encode()  # a lone surrogate cannot be written to a notebook's file
    assert "dut/\\" in html


@given(topic=st.binary(min_size=1, max_size=300), payload=st.binary(max_size=900) | st.text().map(str.encode))
def test_any_message_is_rendered_as_text_only(topic: bytes, payload: bytes) -> None:
    html = Message(topic, payload)._repr_html_()

    table = Table(html)
    assert table.elements <= ELEMENTS
    assert table.attributes == []
    assert list(table.fields()) == ["topic", "payload", "length", "client", "received"]
    assert html.encode()
    assert html.isprintable()


def test_capture_table_shows_the_last_messages(
    simulator: SimulatedModem, modem: SimcomMqtt, broker_url: str, base: str
) -> None:
    with modem.connect(broker_url) as client, client.capture(f"{base}/#") as inbox:
        assert (len(inbox), list(inbox)) == (0, [])
        client.subscribe(f"{base}/#")
        for number in range(25):
            client.publish(f"{base}/{number}", HOSTILE)
        inbox.wait_count(25)

    table = Table(inbox._repr_html_())
    assert len(inbox) == 25
    assert [message.topic for message in inbox] == [f"{base}/{number}" for number in range(25)]
    assert table.caption == f"25 messages on {base}/#, the last 20 of them"
    assert table.rows[0] == ["received", "client", "topic", "length", "payload"]
    assert [row[2] for row in table.rows[1:]] == [f"{base}/{number}" for number in range(5, 25)]
    assert {row[4] for row in table.rows[1:]} == {HOSTILE}
    assert table.elements <= ELEMENTS
    assert table.attributes == []


def test_value_tables_show_their_fields(
    simulator: SimulatedModem, modem: SimcomMqtt, broker_url: str
) -> None:
    simulator.cell = f"LTE,Online,{HOSTILE.replace(',', '')}"
    with modem.connect(broker_url, username="me", password="swordfish") as client:
        tables = {
            type(value).__name__: (Table(value._repr_html_()), value)
            for value in (modem.info(), modem.signal_quality(), modem.cell(), client.query(), modem.stats)
        }

    for name, (table, value) in tables.items():
        assert table.caption == name
        assert table.elements <= ELEMENTS
        assert table.attributes == []
        assert "swordfish" not in value._repr_html_() + repr(value)
    assert tables["ModuleInfo"][0].fields()["imei"] == modem.info().imei
    assert tables["SignalQuality"][0].fields() == {"rssi": "-67 dBm", "ber": "0"}
    assert tables["Cell"][0].fields()["rsrp"] == "–"
    assert tables["ClientState"][0].fields()["connected"] == "yes"
    assert tables["ClientState"][0].fields()["keepalive"] == "60 s"
    assert int(tables["Stats"][0].fields()["commands"]) > 5
