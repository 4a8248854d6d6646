"""`simcom-mqtt pub`: publish as mosquitto_pub does, through the module."""

import time
from collections.abc import Iterator
from typing import BinaryIO, cast

import click

from simcom_mqtt import QoS

from .broker_options import Broker, broker_options
from .device_options import Device, Seconds, device_options
from .output import standard_input


@click.command(
    short_help="Publish, with the options of mosquitto_pub.",
    epilog="""\b
Examples:
  simcom-mqtt pub -h broker.example.com -t dut/state -m up -q 1 -r
  uptime | simcom-mqtt pub -h broker.example.com -t dut/uptime -s
  SIMCOM_PASSWORD=... simcom-mqtt pub -L mqtts://unit7@broker.example.com/dut/state \\
      --cafile ca.pem -m up""",
)
@click.option("-t", "--topic", help="1-1024 bytes.")
@click.option("-m", "--message", metavar="TEXT", help="Publish this.")
@click.option("-f", "--file", type=click.File("rb"), metavar="FILE", help="Publish the contents of a file.")
@click.option("-s", "--stdin-file", is_flag=True, help="Publish all of standard input as one message.")
@click.option(
    "-l", "--stdin-line", is_flag=True, help="Publish each line of standard input that is not empty."
)
@click.option("-n", "--null-message", is_flag=True, help="Publish an empty message.")
@click.option("-q", "--qos", type=click.IntRange(0, 2), default=0, show_default=True)
@click.option("-r", "--retain", is_flag=True, help="Let the broker keep the message.")
@click.option(
    "--repeat", type=click.IntRange(min=1), default=1, show_default=True, help="Number of publishes."
)
@click.option("--repeat-delay", type=Seconds(), default=0.0, metavar="SECONDS")
@broker_options
@device_options
def pub(
    device: Device,
    broker: Broker,
    topic: str | None,
    message: str | None,
    file: BinaryIO | None,
    stdin_file: bool,
    stdin_line: bool,
    null_message: bool,
    qos: int,
    retain: bool,
    repeat: int,
    repeat_delay: float,
) -> None:
    """Publish through the module's MQTT client, with the options of mosquitto_pub.

    Exits with status 0 once the module has confirmed each message; at QoS 1 and 2 the broker has it then.
    """
    topic = topic or broker.topic
    if not topic:
        raise click.UsageError("name a topic: --topic TOPIC, or at the end of --url")
    if [message is not None, file is not None, stdin_file, stdin_line, null_message].count(True) != 1:
        raise click.UsageError("say what to publish, by exactly one of -m, -f, -s, -l and -n")
    if stdin_line:
        payloads = _lines(standard_input().buffer)
    elif stdin_file:
        payloads = _repeated(standard_input().buffer.read(), repeat, repeat_delay)
    elif file:
        payloads = _repeated(file.read(), repeat, repeat_delay)
    else:
        payloads = _repeated((message or "").encode("utf-8", "surrogateescape"), repeat, repeat_delay)

    with broker.connected(device) as client:
        for payload in payloads:
            client.publish(
                topic,
                payload,
                cast(QoS, qos),
                retain=retain,
                timeout=device.timeout_or(60.0),
            )


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    for line in stream:
        if payload := line.rstrip(b"\r\n"):
            yield payload


def _repeated(payload: bytes, count: int, delay: float) -> Iterator[bytes]:
    for number in range(count):
        if number:
            time.sleep(delay)
        yield payload
