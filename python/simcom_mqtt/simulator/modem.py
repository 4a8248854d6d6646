"""`SimulatedModem`: what a test holds in its hand."""

import warnings
from types import TracebackType
from typing import Literal, Self

from .connecting import Destination
from .engine import Engine
from .identity import make_identity
from .line import Line, PtyLine, TcpLine
from .module import Module
from .profiles import PROFILES


class SimulatedModem:
    """A SIM7672X on a pseudo-terminal or a TCP port, its MQTT side a real client of a real broker.

    Every line, echo, prompt and result code is what the application note and real modules give on the wire.
    What the broker and the network do becomes the module's result codes.

    :param broker: `"host:port"` that every connect goes to, whatever host it names (a TLS certificate must
        still be for the named host); None: to the host it names.
    :param transport: `"pty"` for a pseudo-terminal, `"tcp"` for a raw TCP port on 127.0.0.1.
    :param imei: 15 digits; None: a random one.
    :param tcp_port: the port for `"tcp"`; 0: any free one.
    :raises ValueError: an argument is not what it should be.
    """

    def __init__(
        self,
        *,
        broker: str | None = None,
        transport: Literal["pty", "tcp"] = "pty",
        imei: str | None = None,
        tcp_port: int = 0,
    ) -> None:
        self._is_closed = True
        destination = None if broker is None else _destination(broker)
        identity = make_identity(imei)
        if transport not in ("pty", "tcp"):
            raise ValueError(f'transport must be "pty" or "tcp", not {transport!r}')
        self._engine = Engine("simulated-modem")
        try:
            self._line: Line = (
                PtyLine(self._engine) if transport == "pty" else TcpLine(self._engine, tcp_port)
            )
        except OSError:
            self._engine.stop()
            raise
        self._module = Module(self._engine, self._line, PROFILES["sim767x"], identity, destination)
        self._engine.call(self._begin)
        self._is_closed = False

    @property
    def port(self) -> str:
        """What `SimcomMqtt(port)` takes: a path, or `socket://127.0.0.1:<port>`."""
        return self._line.port

    @property
    def received(self) -> list[str]:
        """Every command line seen since the start or the last `reset`, passwords included."""
        return list(self._module.received)

    def reset(self) -> None:
        """Be as fresh from the box: no service, no clients, no certificates, echo on, nothing received."""
        self._engine.call(self._module.reset)

    def close(self) -> None:
        """Give everything back: thread, port, sockets. Can be called again."""
        if self._is_closed:
            return
        self._is_closed = True
        self._engine.call(self._shut_down)
        self._engine.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._is_closed:
            warnings.warn(
                f"unclosed simulated modem on {self.port}", ResourceWarning, stacklevel=2, source=self
            )
            self.close()

    def _begin(self) -> None:
        self._engine.after_each_turn(self._line.flush)
        self._engine.after_each_turn(self._module.watch_output)
        self._line.begin(self._module.receive)

    def _shut_down(self) -> None:
        self._module.close()
        self._line.flush()
        self._line.close()


def _destination(broker: str) -> Destination:
    host, separator, port = broker.rpartition(":")
    if not separator or not host or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise ValueError(f'broker must be "host:port" with a port of 1 to 65535, not {broker!r}')
    host = host.removeprefix("[").removesuffix("]")
    return Destination(host, host, int(port))
