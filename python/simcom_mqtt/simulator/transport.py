"""The choice of the transport: a pseudo-terminal or TCP."""

from typing import Literal

from .event_loop import EventLoop
from .line import Line
from .tcp_line import TcpLine

Transport = Literal["pty", "tcp"] | None


def open_line(
    loop: EventLoop,
    transport: Transport,
    baud_rate: int | None = None,
    seed: int | None = None,
    tcp_port: int = 0,
) -> Line:
    """Return a line on a transport; None: a pseudo-terminal if the system has any, else TCP.

    :raises OSError: the pseudo-terminal or the port cannot be opened.
    """
    if transport != "tcp":
        try:
            # Windows has none of the modules that a pseudo-terminal needs.
            from .pty_line import PtyLine
        except ModuleNotFoundError as error:
            if transport == "pty":
                raise OSError('this system has no pseudo-terminals: use the transport "tcp"') from error
        else:
            return PtyLine(loop, baud_rate, seed)
    return TcpLine(loop, baud_rate, seed, tcp_port)
