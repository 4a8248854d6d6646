"""All measurements by their names for `--only`."""

from collections.abc import Callable

from suite import (
    at_commands,
    engine,
    footprint,
    inbound,
    open_ports,
    paced,
    publish_latency,
    recovery,
    round_trips,
)
from suite.effort import Effort
from suite.report import Table

MEASURES: dict[str, Callable[[Effort], list[Table]]] = {
    "publish-latency": publish_latency.measure,
    "inbound": inbound.measure,
    "paced": paced.measure,
    "round-trips": round_trips.measure,
    "open-ports": open_ports.measure,
    "engine": engine.measure,
    "footprint": footprint.measure,
    "recovery": recovery.measure,
    "at-commands": at_commands.measure,
}
