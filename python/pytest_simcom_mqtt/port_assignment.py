"""Assigns the named ports to the workers of pytest-xdist, and to the tests that need a module."""

from __future__ import annotations

from typing import Any, Final, Never

import pytest

from pytest_simcom_mqtt.options import ENVIRONMENT_VARIABLE, SIMULATOR, Options

MARKERS: Final = {
    "simcom_hardware": "needs a real module; skipped on a simulated one",
    "simcom_simulator_only": "needs a simulated module; skipped on a real one",
}
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


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that is marked for the other kind of module; fail it if there is no module at all."""
    if not any(map(item.get_closest_marker, MARKERS)):
        return
    port = require_port(item.config)
    if item.get_closest_marker("simcom_hardware") and port == SIMULATOR:
        pytest.skip("needs a real module: run with --simcom-port=/dev/ttyUSB2, its AT port")
    if item.get_closest_marker("simcom_simulator_only") and port != SIMULATOR:
        pytest.skip(f"needs a simulated module: run with --simcom-port={SIMULATOR}")


def asks_for_module(item: pytest.Item) -> bool:
    """Return True if a test uses a module, by a fixture or a marker."""
    fixtures = getattr(item, "fixturenames", ())
    return not MODULE_FIXTURES.isdisjoint(fixtures) or any(map(item.get_closest_marker, MARKERS))


def port_to_test(config: pytest.Config) -> str | None:
    """Return the port of this process, or "simulator"; None: no port was given."""
    options = Options.of(config)
    if not options.ports:
        return None
    if options.are_all_simulated:
        return SIMULATOR
    place: int = _worker_input(config).get(_PLACE, 0)
    return options.ports[place] if place < len(options.ports) else _fail_for_missing_ports(config)


def require_port(config: pytest.Config) -> str:
    """Return the port of this process, or "simulator"; fail the test if no port was given."""
    return port_to_test(config) or pytest.fail(NO_PORT, pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker of pytest-xdist the first free place; a replacement gets that of the crashed worker."""
    places = node.config.stash.setdefault(_PLACES, {})
    place = next(number for number in range(len(places) + 1) if number not in places)
    places[place] = node
    node.workerinput[_PLACE] = place


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Free the place of a worker; end the run if the worker reports too few ports."""
    places = node.config.stash.get(_PLACES, {})
    for place in [place for place, holder in places.items() if holder is node]:
        del places[place]
    error = getattr(node, "workeroutput", {}).get(_USAGE_ERROR)
    if error:
        raise pytest.UsageError(error)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """In a worker: check before the first test that there are enough ports for all workers."""
    options, workers = Options.of(config), _worker_input(config).get("workercount", 1)
    if not options.ports or options.are_all_simulated or len(options.ports) >= workers:
        return
    if any(map(asks_for_module, items)):
        config.workeroutput[_USAGE_ERROR] = _missing_ports(config)  # type: ignore[attr-defined]
        raise session.Interrupted("too few ports")


def is_worker(config: pytest.Config) -> bool:
    """Return True in a worker of pytest-xdist, for which the controller reports."""
    return bool(_worker_input(config))


def _worker_input(config: pytest.Config) -> dict[str, Any]:
    return getattr(config, "workerinput", {})


def _fail_for_missing_ports(config: pytest.Config) -> Never:
    pytest.fail(_missing_ports(config), pytrace=False)


def _missing_ports(config: pytest.Config) -> str:
    ports, workers = Options.of(config).ports, _worker_input(config).get("workercount", 1)
    count = "1 port was" if len(ports) == 1 else f"{len(ports)} ports were"
    return (
        f"{workers} workers need {workers} modules, and {count} given ({', '.join(ports)}): "
        f"give --simcom-port once for each worker, or run with -n {len(ports)}"
    )
