"""`simcom-mqtt sub`: receive as mosquitto_sub does, through the module."""

import contextlib
import time
from collections.abc import Iterator
from queue import Empty, Queue
from typing import Final, cast

import click

from simcom_mqtt import Message, MqttClient, QoS, Reconnect

from .broker_options import Broker, broker_options
from .device_options import Device, Seconds, device_options_without_v
from .exit_codes import Failure
from .output import echo_json, is_plain, message_as_json
from .text import printable

FOREVER: Final = float("inf")
QUEUE_SIZE: Final = 1024
"""Messages that wait here for a slow reader; the driver holds more, and reports those that it must drop."""


@click.command(
    short_help="Receive, with the options of mosquitto_sub.",
    epilog="""\b
Examples:
  simcom-mqtt sub -h broker.example.com -t 'dut/#' -v
  simcom-mqtt sub -h broker.example.com -t dut/answer -C 1 -W 30
  simcom-mqtt sub -d simulator -t 'dut/#' --json | jq .payload""",
)
@click.option("-t", "--topic", "topics", multiple=True, metavar="FILTER", help="1-1024 bytes; repeatable.")
@click.option(
    "-T", "--filter-out", multiple=True, metavar="FILTER", help="Do not show messages that match; repeatable."
)
@click.option("-q", "--qos", type=click.IntRange(0, 2), default=0, show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Write the topic and a blank before each payload.")
@click.option("-N", "no_newline", is_flag=True, help="Write no line feed after a payload.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, bytes as payload_base64.")
@click.option("-C", "--count", type=click.IntRange(min=1), help="Exit after this number of messages.")
@click.option(
    "-W",
    "--wait",
    type=Seconds(min_open=True),
    metavar="SECONDS",
    help="Exit after this time: with status 1 if fewer messages than --count arrived.",
)
@click.option("-c", "--disable-clean-session", is_flag=True, help="Let the broker keep the session.")
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

    The driver reconnects after a lost connection, a lost network, a restart of the module or a lost port.
    Standard error reports it.
    """
    topics = topics or ((broker.topic,) if broker.topic else ())
    if not topics:
        raise click.UsageError("name a topic filter: --topic FILTER, or at the end of --url")
    if disable_clean_session and not broker.client_id:
        raise click.UsageError("the broker finds a kept session by its client id: --id")

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
            f"{shown} of {count} messages arrived within {wait:g} s: does a client publish to "
            f"{', '.join(topics)} on that broker?"
        )


@contextlib.contextmanager
def _messages_of(client: MqttClient) -> Iterator[Queue[Message]]:
    received: Queue[Message] = Queue(QUEUE_SIZE)
    client.on_message = received.put
    try:
        yield received
    finally:
        client.on_message = None
        with contextlib.suppress(Empty):  # makes room for a callback that waits in `put`
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
        echo_json(message_as_json(message))
        return
    parts = [message.topic_bytes + b" " if verbose else b"", message.payload, b"" if no_newline else b"\n"]
    written = b"".join(parts)
    # A program gets the bytes. A terminal gets text: a publisher must not control it.
    click.echo(written if is_plain() else printable(written.decode("utf-8", "backslashreplace")), nl=False)
