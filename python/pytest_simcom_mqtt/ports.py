"""Which port this process tests: one for each worker of pytest-xdist, and none unless it was named."""

from __future__ import annotations

from typing import Any, Final, Never

import pytest

from pytest_simcom_mqtt.markers import MARKERS
from pytest_simcom_mqtt.options import ENVIRONMENT_VARIABLE, SIMULATOR, Options

MODULE_FIXTURES: Final = frozenset(
    {"simcom_modem", "simcom", "simcom_client", "simcom_simulator", "simcom_is_simulated"}
)
NO_PORT: Final = (
    "this test needs a module, and no port was given: run pytest with --simcom-port=/dev/ttyUSB2 (its AT "
    f"port), or set {ENVIRONMENT_VARIABLE}; without hardware: --simcom-port={SIMULATOR}"
)

_PLACE: Final = "simcom_place"
_USAGE_ERROR: Final = "simcom_usage_error"
_PLACES = pytest.StashKey[dict[int, Any]]()


def asks_for_module(item: pytest.Item) -> bool:
    """Whether a test uses a module, by a fixture or a marker."""
    fixtures = getattr(item, "fixturenames", ())
    return not MODULE_FIXTURES.isdisjoint(fixtures) or any(map(item.get_closest_marker, MARKERS))


def port_to_test(config: pytest.Config) -> str | None:
    """The port of this process, or "simulator"; None if none was given."""
    options = Options.of(config)
    if not options.ports:
        return None
    if options.are_all_simulated:
        return SIMULATOR
    place: int = _worker_input(config).get(_PLACE, 0)
    return options.ports[place] if place < len(options.ports) else _fail_for_want_of_ports(config)


def require_port(config: pytest.Config) -> str:
    """The port of this process, or "simulator"; the test fails if none was given."""
    return port_to_test(config) or pytest.fail(NO_PORT, pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker of pytest-xdist the first free place; one that replaces a crashed one gets its place."""
    places = node.config.stash.setdefault(_PLACES, {})
    place = next(number for number in range(len(places) + 1) if number not in places)
    places[place] = node
    node.workerinput[_PLACE] = place


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Free a worker's place; if it found too few ports, end the run."""
    places = node.config.stash.get(_PLACES, {})
    for place in [place for place, holder in places.items() if holder is node]:
        del places[place]
    complaint = getattr(node, "workeroutput", {}).get(_USAGE_ERROR)
    if complaint:
        raise pytest.UsageError(complaint)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """In a worker: see before any test runs whether there are ports enough for all workers."""
    options, workers = Options.of(config), _worker_input(config).get("workercount", 1)
    if not options.ports or options.are_all_simulated or len(options.ports) >= workers:
        return
    if any(map(asks_for_module, items)):
        config.workeroutput[_USAGE_ERROR] = _want_of_ports(config)  # type: ignore[attr-defined]
        raise session.Interrupted("too few ports")


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests for a controller of pytest-xdist, which reports for it."""
    return bool(_worker_input(config))


def _worker_input(config: pytest.Config) -> dict[str, Any]:
    return getattr(config, "workerinput", {})


def _fail_for_want_of_ports(config: pytest.Config) -> Never:
    pytest.fail(_want_of_ports(config), pytrace=False)


def _want_of_ports(config: pytest.Config) -> str:
    ports, workers = Options.of(config).ports, _worker_input(config).get("workercount", 1)
    count = "1 port was" if len(ports) == 1 else f"{len(ports)} ports were"
    return (
        f"{workers} workers need {workers} modules, and {count} given ({', '.join(ports)}): "
        f"give --simcom-port once for each worker, or run with -n {len(ports)}"
    )
