"""`simcom-mqtt soak`: messages through the broker and back, each counted, timed and compared."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from simcom_mqtt import MqttClient, QoS, Reconnect, SimcomError

from .broker_options import Broker, broker_options
from .device_options import Device, Seconds, device_options
from .echo_run import SHORTEST, Counts, EchoRun, format_time, histogram, percentile
from .exit_codes import Failure
from .output import ERRORS, OUTPUT, echo, echo_error, echo_fields, echo_json, is_plain
from .text import error_text

BAR_WIDTH: Final = 40
SHOWN_ERRORS: Final = 3


@click.command(
    short_help="Send messages through the broker and back; count losses.",
    epilog="""\b
Examples:
  simcom-mqtt soak -h broker.example.com --count 1000 --qos 1
  simcom-mqtt soak -d simulator --count 200 --max-latency 0.5 --json""",
)
@click.option("-n", "--count", type=click.IntRange(min=1), default=100, show_default=True, help="Messages.")
@click.option("-q", "--qos", type=click.IntRange(0, 2), default=1, show_default=True)
@click.option(
    "-s",
    "--size",
    type=click.IntRange(SHORTEST, 10_240),
    default=64,
    show_default=True,
    help="Bytes of a message.",
)
@click.option(
    "--interval",
    type=Seconds(),
    default=0.0,
    metavar="SECONDS",
    help="From one publish to the next.  [default: no pause]",
)
@click.option(
    "--wait",
    type=Seconds(),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest wait for outstanding messages after the last publish.",
)
@click.option("--max-latency", type=Seconds(), metavar="SECONDS", help="Fail if a message takes longer.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
@broker_options
@device_options
def soak(
    device: Device,
    broker: Broker,
    count: int,
    qos: int,
    size: int,
    interval: float,
    wait: float,
    max_latency: float | None,
    as_json: bool,
) -> None:
    """Send messages through the broker and back, and count losses, duplicates and alterations.

    The driver reconnects after a lost connection, and the run goes on; the report shows the cost. Exits with
    status 1 if a message was lost, refused, altered, duplicated or slower than --max-latency. Ctrl-C ends the
    run with a report of the messages so far.
    """
    with broker.connected(device, reconnect=Reconnect()) as client:
        run = EchoRun(client, cast(QoS, qos), size, device.timeout_or(60.0))
        run.subscribe()
        began = time.monotonic()
        interrupted, stopped_by = False, ""
        with _progress(run.counts, count) as progress:
            try:
                _send(run, count, interval, progress)
                run.wait_for_outstanding(wait)
            except KeyboardInterrupt:
                interrupted = True
            except SimcomError as error:
                stopped_by = error_text(error)
        complaints = _complaints(run.counts, client, max_latency)
        if stopped_by:
            complaints.append(stopped_by)
        took = time.monotonic() - began
        if as_json:
            echo_json(_as_json(run.counts, client, took, complaints))
        else:
            _report(run.counts, client, took, progress)
        if interrupted:
            raise KeyboardInterrupt
        if not stopped_by:
            run.unsubscribe()
    if complaints:
        raise Failure("; ".join(complaints))


def _send(run: EchoRun, count: int, interval: float, progress: Progress | None) -> None:
    next_one = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, next_one - time.monotonic()))
        next_one += interval
        run.publish(number)
        if progress:
            _update(progress, run.counts)


@contextmanager
def _progress(counts: Counts, count: int) -> Iterator[Progress | None]:
    """Show a bar with live counters on a terminal until the report replaces it."""
    if is_plain(ERRORS):
        yield None
        return
    progress = Progress(
        TextColumn("echo"),
        BarColumn(BAR_WIDTH),
        MofNCompleteColumn(),
        TextColumn("{task.fields[counters]}"),
        TimeElapsedColumn(),
        console=ERRORS,
        transient=True,
    )
    progress.add_task("echo", total=count, counters="")
    with progress:
        yield progress
        _update(progress, counts)


def _update(progress: Progress, counts: Counts) -> None:
    live = (
        ("in flight", counts.outstanding, "cyan"),
        ("refused", counts.failed, "red" if counts.failed else "green"),
        ("duplicates", counts.duplicates, "red" if counts.duplicates else "green"),
    )
    counters = "  ".join(f"[{colour}]{name} {number}[/]" for name, number, colour in live)
    progress.update(progress.task_ids[0], completed=counts.received, counters=counters)


def _complaints(counts: Counts, client: MqttClient, max_latency: float | None) -> list[str]:
    found = [
        f"{number} {what}"
        for number, what in (
            (counts.outstanding, "lost"),
            (counts.failed, "refused by the module"),
            (counts.altered, "altered"),
            (counts.duplicates, "duplicated"),
            (client.modem.stats.damaged_messages, "damaged on the line between module and host"),
        )
        if number
    ]
    slowest = max(counts.latencies, default=0.0)
    if max_latency is not None and slowest > max_latency:
        found.append(f"the slowest took {format_time(slowest)}, more than {format_time(max_latency)}")
    return found


def _report(counts: Counts, client: MqttClient, took: float, progress: Progress | None) -> None:
    if progress and not is_plain():
        OUTPUT.print(progress.get_renderable())
    stats = client.modem.stats
    fields: list[tuple[str, object]] = [
        ("sent", counts.sent),
        ("received", counts.received),
        ("lost", counts.outstanding),
        ("refused", counts.failed),
        ("result unknown", counts.unknown),
        ("altered", counts.altered),
        ("duplicates", counts.duplicates),
        ("damaged on the line", stats.damaged_messages),
        ("reconnects", stats.reconnects),
        ("rate", f"{counts.received / took:.1f} messages/s"),
    ]
    if counts.latencies:
        ordered = sorted(counts.latencies)
        fields += [
            (f"latency {name}", format_time(percentile(ordered, percent)))
            for name, percent in (("p50", 50), ("p90", 90), ("p99", 99), ("max", 100))
        ]
    echo_fields(fields)
    if counts.latencies:
        echo()
        _show_histogram(counts)
    for error in counts.errors[:SHOWN_ERRORS]:
        echo_error(error)
    if len(counts.errors) > SHOWN_ERRORS:
        echo_error(f"and {len(counts.errors) - SHOWN_ERRORS} more")


def _show_histogram(counts: Counts) -> None:
    found = histogram(counts.latencies)
    most = max(number for _, number in found)
    for name, number in found:
        share = f"{name:>10}  {number:>7}  {100 * number / len(counts.latencies):5.1f} %"
        if is_plain():
            echo(share)
        else:
            OUTPUT.print(Text.assemble(share, "  ", ("█" * round(BAR_WIDTH * number / most), "cyan")))


def _as_json(counts: Counts, client: MqttClient, took: float, complaints: list[str]) -> dict[str, object]:
    ordered = sorted(counts.latencies)
    stats = client.modem.stats
    return {
        "sent": counts.sent,
        "received": counts.received,
        "lost": counts.outstanding,
        "refused": counts.failed,
        "unknown": counts.unknown,
        "altered": counts.altered,
        "duplicates": counts.duplicates,
        "damaged": stats.damaged_messages,
        "reconnects": stats.reconnects,
        "seconds": round(took, 3),
        "latency": {
            name: round(percentile(ordered, percent), 6)
            for name, percent in (("p50", 50), ("p90", 90), ("p99", 99), ("max", 100))
            if ordered
        },
        "histogram": dict(histogram(ordered)),
        "complaints": complaints,
    }
