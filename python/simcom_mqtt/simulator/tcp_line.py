"""A line on a TCP port of the loopback interface, with raw bytes like ser2net."""

import socket

from .event_loop import READ, EventLoop, close_socket
from .line import READ_SIZE, Line, LineGoneError


class TcpLine(Line):
    """A listening port; a new connection replaces the previous one."""

    def __init__(self, loop: EventLoop, baud_rate: int | None, seed: int | None, port: int = 0) -> None:
        super().__init__(loop, baud_rate, seed)
        self._host: socket.socket | None = None
        self._listener: socket.socket | None = socket.create_server(("127.0.0.1", port))
        self._number: int = self._listener.getsockname()[1]

    @property
    def port(self) -> str:
        """`socket://127.0.0.1:<port>`."""
        return f"socket://127.0.0.1:{self._number}"

    def plug(self) -> None:
        """Start listening."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self._number))
        listener = self._listener
        listener.setblocking(False)
        self._loop.watch(listener, READ, lambda _events: self._accept(listener))

    def close_files(self) -> None:
        """Close the sockets."""
        for opened in (self._host, self._listener):
            if opened is not None:
                opened.close()

    def _accept(self, listener: socket.socket) -> None:
        try:
            host, _address = listener.accept()
        except OSError:
            return  # the host closed before the connection was accepted
        self._drop_host()
        host.setblocking(False)
        host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = host
        self._watch()
        self._host_came()

    def _host_end(self) -> socket.socket | None:
        return self._host

    def _has_host(self) -> bool:
        return self._host is not None

    def _send(self, data: bytes | bytearray) -> int:
        if self._host is None:
            raise LineGoneError
        try:
            return self._host.send(data)
        except BlockingIOError:
            raise
        except OSError as error:
            raise LineGoneError from error

    def _receive(self) -> bytes:
        if self._host is None:
            raise LineGoneError
        try:
            data = self._host.recv(READ_SIZE)
        except BlockingIOError:
            raise
        except OSError as error:
            raise LineGoneError from error
        if not data:
            raise LineGoneError
        return data

    def _host_gone(self) -> None:
        if self._host is not None:
            close_socket(self._host)
            self._host = None

    def _remove(self) -> None:
        if self._listener is not None:
            self._loop.unwatch(self._listener)
            close_socket(self._listener)
            self._listener = None
