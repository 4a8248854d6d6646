"""The broker between the module and the host: one started here, or one that runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from pytest_simcom_mqtt.options import SIMULATOR, BrokerChoice


@dataclass(frozen=True)
class Broker:
    """A broker that answers without TLS and password."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """What `SimcomMqtt.connect` takes."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt://{host}:{self.port}"


@contextmanager
def running_broker(choice: BrokerChoice, port: str | None) -> Iterator[Broker]:
    """The broker that was chosen, started if need be, for a module on this port."""
    if isinstance(choice, tuple):
        yield Broker(*choice)
        return
    if choice is None and port not in (None, SIMULATOR):
        pytest.fail(
            f"the module on {port} needs a broker that its mobile network reaches, which one started on this "
            "machine is not: give --simcom-broker=HOST:PORT",
            pytrace=False,
        )
    from simcom_mqtt.local_broker import local_broker

    try:
        with local_broker(choice or "auto") as broker:
            yield Broker("127.0.0.1", broker.port)
    except (RuntimeError, TimeoutError) as error:
        raise pytest.fail.Exception(
            f"no broker: {error}; or give one that runs: --simcom-broker=HOST:PORT", pytrace=False
        ) from None
