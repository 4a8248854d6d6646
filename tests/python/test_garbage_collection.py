"""Drivers without references: a warning, the port is closed, and cycles are collected."""

import functools
import gc
import logging
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from host_client import HostClient
from simcom_mqtt import Message, MqttClient, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture(autouse=True)
def collect_in_tests_only() -> Iterator[None]:
    """Turns automatic collection off."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def collect(gone: weakref.ref[Any]) -> None:
    """Collects; repeats while another thread still holds a reference."""
    for _ in range(100):
        gc.collect()
        if gone() is None:
            return
        threading.Event().wait(0.05)


def assert_collected(gone: weakref.ref[Any], simulator: SimulatedModem) -> None:
    """Asserts that the collector closes the driver with a warning, and that the port is free at once."""
    assert gone() is not None
    with pytest.warns(ResourceWarning, match="unclosed SimcomMqtt on .*: call close"):
        collect(gone)
    assert gone() is None
    with SimcomMqtt(simulator.port):
        pass


def test_dropped_driver_is_closed_at_once_with_a_warning(simulator: SimulatedModem) -> None:
    before = set(threading.enumerate())
    modem = SimcomMqtt(simulator.port)
    gone = weakref.ref(modem)

    with pytest.warns(ResourceWarning, match="unclosed SimcomMqtt on"):
        del modem

    assert gone() is None
    assert set(threading.enumerate()) == before
    with SimcomMqtt(simulator.port):
        pass


def test_closed_driver_is_collected_without_a_warning(simulator: SimulatedModem) -> None:
    modem = SimcomMqtt(simulator.port)
    modem.on_network_lost = modem.close
    gone = weakref.ref(modem)
    modem.close()
    del modem

    gc.collect()

    assert gone() is None


CYCLES: dict[str, Callable[[SimcomMqtt, MqttClient], object]] = {
    "on_message of the module": lambda modem, client: setattr(modem, "on_message", lambda _: modem),
    "on_message of the client": lambda modem, client: setattr(client, "on_message", lambda _: client),
    "on_urc": lambda modem, client: setattr(modem, "on_urc", lambda _: client),
    "a bound method": lambda modem, client: setattr(modem, "on_message", modem.command),
    "a subscription": lambda modem, client: client.subscribe("a/#", callback=lambda _: client.modem),
    "a capture": lambda modem, client: client.subscribe(
        "a/#", callback=functools.partial(lambda *held: None, client, client.capture())
    ),
    "an iterator": lambda modem, client: client.subscribe(
        "a/#", callback=functools.partial(lambda *held: None, modem, client.messages())
    ),
    "a future": lambda modem, client: client.publish_nowait("a").add_done_callback(lambda _: modem),
}


@pytest.mark.parametrize("cycle", CYCLES)
def test_driver_in_a_cycle_with_its_callback_is_collected(
    simulator: SimulatedModem, broker_url: str, cycle: str
) -> None:
    def drop() -> weakref.ref[Any]:
        modem = SimcomMqtt(simulator.port)
        client = modem.connect(broker_url)
        # A cycle in every case: the callback refers to the driver.
        modem.on_network_lost = modem.close
        CYCLES[cycle](modem, client)
        # A future drops its done-callback with its result.
        client.publish("b", b"", 1)
        modem.command("AT")
        return weakref.ref(modem)

    gone = drop()
    reports = [thread for thread in threading.enumerate() if thread.name == "simcom-mqtt-background"]

    assert_collected(gone, simulator)
    assert not any(thread.is_alive() for thread in reports)


def test_driver_in_a_cycle_with_a_callback_error_is_collected(
    simulator: SimulatedModem,
    broker_url: str,
    host: HostClient,
    base: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Log records would keep the errors in them alive.
    monkeypatch.setattr(logging.getLogger("simcom_mqtt"), "disabled", True)

    def drop() -> weakref.ref[Any]:
        modem = SimcomMqtt(simulator.port)
        client = modem.connect(broker_url)
        failed = threading.Event()

        def fail(message: Message) -> None:
            if message.payload:
                failed.set()
            else:
                raise KeyError(modem, message)

        client.subscribe(base, callback=fail)
        host.publish(base, b"", 1)
        host.publish(base, b"next", 1)
        assert failed.wait(30)
        assert isinstance(modem.callback_errors[0], KeyError)
        return weakref.ref(modem)

    assert_collected(drop(), simulator)


def test_subclass_in_a_cycle_with_its_attribute_is_collected(simulator: SimulatedModem) -> None:
    class Rig(SimcomMqtt):
        def __init__(self, port: str, *, name: str) -> None:
            super().__init__(port)
            self.name = name
            self.me = self
            self.on_message = self.handle

        def handle(self, message: Message) -> None:
            raise AssertionError(message)

    gone = weakref.ref(Rig(simulator.port, name="left"))

    assert_collected(gone, simulator)


def test_client_keeps_its_modem_alive(simulator: SimulatedModem, broker_url: str) -> None:
    client = SimcomMqtt(simulator.port).connect(broker_url)
    gc.collect()

    assert client.is_connected()
    assert client.modem.clients() == [client]
    client.modem.close()


def test_modem_does_not_keep_its_client_alive(modem: SimcomMqtt, broker_url: str) -> None:
    gone = weakref.ref(modem.connect(broker_url))
    assert gone() is None
    assert modem.clients()[0].is_connected()


def test_dropped_driver_does_not_replace_the_exception_being_raised(simulator: SimulatedModem) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # int() has raised before its argument is dropped.
        with pytest.raises(TypeError, match=r"int\(\)"):
            int(SimcomMqtt(simulator.port))  # type: ignore[call-overload]

    assert [warning.category for warning in caught] == [ResourceWarning]
    with SimcomMqtt(simulator.port):
        pass


def test_warning_of_a_dropped_driver_as_error_is_unraisable(
    simulator: SimulatedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[BaseException | None] = []
    monkeypatch.setattr("sys.unraisablehook", lambda hook: unraisable.append(hook.exc_value))

    SimcomMqtt(simulator.port)

    assert [type(error) for error in unraisable] == [ResourceWarning]
    with SimcomMqtt(simulator.port):
        pass


def test_driver_dropped_by_its_own_callback_is_closed(
    simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    closed = threading.Event()
    entered = threading.Event()
    holder: list[Any] = []

    def drop(_: Message) -> None:
        entered.wait(30)
        holder.clear()

    def begin() -> None:
        modem = SimcomMqtt(simulator.port)
        weakref.finalize(modem, closed.set)
        client = modem.connect(broker_url)
        client.subscribe(base, callback=drop)
        holder.append(client)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        begin()
        host.publish(base, b"", 1)
        entered.set()
        assert closed.wait(30)
    with SimcomMqtt(simulator.port):
        pass
