"""All there is to measure, by the name that `--only` takes."""

from collections.abc import Callable

from suite import inbound, publish_latency
from suite.effort import Effort
from suite.report import Table

MEASURES: dict[str, Callable[[Effort], list[Table]]] = {
    "publish-latency": publish_latency.measure,
    "inbound": inbound.measure,
}
