"""Fixtures for the tests of `simcom_mqtt.aio`."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_call_outlives_a_test() -> Iterator[None]:
    """Fails a test that leaves the thread of a call behind."""
    yield
    for thread in threading.enumerate():
        if thread.name == "simcom-mqtt-call":
            thread.join(10)
            assert not thread.is_alive(), thread.name
