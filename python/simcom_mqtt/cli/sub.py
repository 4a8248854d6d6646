"""`simcom-mqtt sub`: receive as mosquitto_sub does, through the module."""

import contextlib
import time
from collections.abc import Iterator
from queue import Empty, Queue
from typing import Final, cast

import click

from simcom_mqtt import Message, MqttClient, QoS, Reconnect

from .broker import Broker, broker_options
from .device import Device, device_options_without_v
from .endings import Failure
from .screen import is_plain, message_as_json, printable, say_json
from .seconds import Seconds

FOREVER: Final = float("inf")
WAITING: Final = 1024
"""Messages that wait for a slow reader here; more wait in the driver, which tells what it must drop."""


@click.command(
    short_help="Receive, with the options of mosquitto_sub.",
    epilog="""\b
Examples:
  simcom-mqtt sub -h broker.example.com -t 'dut/#' -v
  simcom-mqtt sub -h broker.example.com -t dut/answer -C 1 -W 30
  simcom-mqtt sub -d simulator -t 'dut/#' --json | jq .payload""",
)
@click.option("-t", "--topic", "topics", multiple=True, metavar="FILTER", help="1-1024 bytes; repeatable.")
@click.option("-T", "--filter-out", multiple=True, metavar="FILTER", help="Do not show these; repeatable.")
@click.option("-q", "--qos", type=click.IntRange(0, 2), default=0, show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Write the topic and a blank before each payload.")
@click.option("-N", "no_newline", is_flag=True, help="Write no end of line after a payload.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, bytes as payload_base64.")
@click.option("-C", "--count", type=click.IntRange(min=1), help="End after so many messages.")
@click.option(
    "-W",
    "--wait",
    type=Seconds(min_open=True),
    metavar="SECONDS",
    help="End after that time; with status 1 if --count messages have not come.",
)
@click.option("-c", "--disable-clean-session", is_flag=True, help="Have the broker keep the session.")
@broker_options
@device_options_without_v
def sub(
    device: Device,
    broker: Broker,
    topics: tuple[str, ...],
    filter_out: tuple[str, ...],
    qos: int,
    verbose: bool,
    no_newline: bool,
    as_json: bool,
    count: int | None,
    wait: float | None,
    disable_clean_session: bool,
) -> None:
    """Receive through the module's MQTT client, with the options of mosquitto_sub, until Ctrl-C.

    A lost connection, a lost network, a reboot of the module or a port that was away is told on standard
    error, and mended.
    """
    topics = topics or ((broker.topic,) if broker.topic else ())
    if not topics:
        raise click.UsageError("name a topic filter: --topic FILTER, or at the end of --url")
    if disable_clean_session and not broker.client_id:
        raise click.UsageError("the broker knows a kept session by its client id: --id")

    clean = not disable_clean_session
    with (
        broker.connected(device, clean_session=clean, reconnect=Reconnect()) as client,
        _messages_of(client) as received,
    ):
        for topic in topics:
            client.subscribe(topic, cast(QoS, qos), timeout=device.timeout)
        deadline = FOREVER if wait is None else time.monotonic() + wait
        shown = 0
        while count is None or shown < count:
            message = _next(received, deadline)
            if message is None:
                break
            if not any(message.matches(unwanted) for unwanted in filter_out):
                _show(message, verbose=verbose, no_newline=no_newline, as_json=as_json)
                shown += 1
    if count is not None and shown < count:
        raise Failure(
            f"{shown} of {count} messages came within {wait:g} s: does somebody publish to "
            f"{', '.join(topics)} on that broker?"
        )


@contextlib.contextmanager
def _messages_of(client: MqttClient) -> Iterator[Queue[Message]]:
    received: Queue[Message] = Queue(WAITING)
    client.on_message = received.put
    try:
        yield received
    finally:
        client.on_message = None
        with contextlib.suppress(Empty):  # a callback may wait for room
            while True:
                received.get_nowait()


def _next(received: Queue[Message], deadline: float) -> Message | None:
    if deadline == FOREVER:
        return received.get()
    try:
        return received.get(timeout=max(0.0, deadline - time.monotonic()))
    except Empty:
        return None


def _show(message: Message, *, verbose: bool, no_newline: bool, as_json: bool) -> None:
    if as_json:
        say_json(message_as_json(message))
        return
    parts = [message.topic_bytes + b" " if verbose else b"", message.payload, b"" if no_newline else b"\n"]
    written = b"".join(parts)
    # A program gets the bytes; a terminal must not be steered by whoever publishes.
    click.echo(written if is_plain() else printable(written.decode("utf-8", "backslashreplace")), nl=False)
