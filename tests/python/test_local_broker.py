"""The broker that the demonstration and the test bench start for themselves."""

import asyncio
import socket
import subprocess
import threading
from urllib.parse import urlsplit

import pytest

from simcom_mqtt import local_broker
from simcom_mqtt.local_broker import Kind


@pytest.mark.parametrize("kind", ["auto", "mosquitto", "amqtt"])
def test_local_broker_listens_inside_its_block(kind: Kind) -> None:
    with local_broker.local_broker(kind) as broker:
        assert urlsplit(broker.url).port == broker.port
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", broker.port))

    socket.create_server(("127.0.0.1", broker.port)).close()


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("mosquitto", "apt-get install mosquitto"),
        ("amqtt", r"pip install '.*\[demo\]'"),
        ("auto", "apt-get install mosquitto, or pip install"),
    ],
)
def test_missing_broker_says_what_to_install(
    kind: Kind, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(local_broker, "find_spec", lambda _name: None)

    with pytest.raises(RuntimeError, match=advice), local_broker.local_broker(kind):
        pytest.fail("there is no broker")


def test_mosquitto_that_exits_raises_with_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen
    monkeypatch.setattr("subprocess.Popen", lambda _command, **options: start(["false"], **options))

    with pytest.raises(RuntimeError, match="status 1"), local_broker.local_broker("mosquitto"):
        pytest.fail("it does not listen")


def test_shutdown_of_amqtt_is_retried_when_it_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    # amqtt hangs like this when a client disconnects at the same moment.
    from amqtt.broker import Broker

    shut_down, tries = Broker.shutdown, []

    async def shutdown(broker: Broker) -> None:
        tries.append(broker)
        await (asyncio.Event().wait() if len(tries) == 1 else shut_down(broker))

    monkeypatch.setattr(Broker, "shutdown", shutdown)
    monkeypatch.setattr(local_broker, "AMQTT_SHUTDOWN_TIMEOUT", 0.1)

    with local_broker.local_broker("amqtt") as broker:
        pass

    assert len(tries) == 2
    socket.create_server(("127.0.0.1", broker.port)).close()
    assert "amqtt" not in {thread.name for thread in threading.enumerate()}
