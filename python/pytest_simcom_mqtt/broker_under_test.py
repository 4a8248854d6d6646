"""The broker between the module and the host: started by the plugin, or already running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from pytest_simcom_mqtt.options import SIMULATOR, BrokerChoice


@dataclass(frozen=True)
class Broker:
    """A broker that is reached without TLS and without a password."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The URL for `SimcomMqtt.connect`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt://{host}:{self.port}"


@contextmanager
def running_broker(choice: BrokerChoice, port: str | None) -> Iterator[Broker]:
    """Yield the broker of the options for a module on this port; start it if necessary."""
    if isinstance(choice, tuple):
        yield Broker(*choice)
        return
    if choice is None and port not in (None, SIMULATOR):
        pytest.fail(
            f"the module on {port} needs a broker that its mobile network reaches: give "
            "--simcom-broker=HOST:PORT; a broker started on this machine is not reachable",
            pytrace=False,
        )
    from simcom_mqtt.local_broker import local_broker

    try:
        with local_broker(choice or "auto") as broker:
            yield Broker("127.0.0.1", broker.port)
    except (RuntimeError, TimeoutError) as error:
        raise pytest.fail.Exception(
            f"no broker: {error}; or name a running broker: --simcom-broker=HOST:PORT", pytrace=False
        ) from None
