"""What the tests of `simcom_mqtt.aio` share."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_call_goes_on() -> Iterator[None]:
    """Nothing that was awaited is still being called when a test is over."""
    yield
    for thread in threading.enumerate():
        if thread.name in CALLS:
            thread.join(10)
            assert not thread.is_alive(), thread.name


CALLS = ("simcom-mqtt-call", "simcom-mqtt-undo")
