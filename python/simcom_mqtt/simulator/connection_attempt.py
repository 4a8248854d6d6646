"""From a host name to an open socket: look-up, TCP, TLS. No step blocks the event loop."""

import errno
import os
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .event_loop import READ, WRITE, EventLoop, Timer, logger
from .result_codes import DNS_ERROR, HANDSHAKE_FAIL, SOCK_CONNECT_FAIL, TIMEOUT
from .ssl_context import check_server_name, is_valid_at


@dataclass(frozen=True)
class Destination:
    """Target of a connection: `host` is the name in CONNECT, `address` and `port` are connected to."""

    host: str
    address: str
    port: int


@dataclass(frozen=True)
class TlsOptions:
    """The handshake settings of the connection's SSL context."""

    context: ssl.SSLContext
    sends_name: bool
    checks_name: bool
    timeout: float
    time: float | None
    """The time at which the certificate must be valid, in seconds since 1970; None: at any time."""


Connected = Callable[[socket.socket], object]
Failed = Callable[[int], object]


class ConnectionAttempt:
    """One connection attempt. It ends with one call of `connected` or `failed`, or with `cancel`."""

    def __init__(
        self,
        loop: EventLoop,
        destination: Destination,
        tls: TlsOptions | None,
        timeout: float,
        connected: Connected,
        failed: Failed,
    ) -> None:
        self._loop = loop
        self._destination = destination
        self._tls = tls
        self._connected: Connected | None = connected
        self._failed: Failed | None = failed
        self._socket: socket.socket | None = None
        self._addresses: list[_Address] = []
        self._timer: Timer = loop.call_later(timeout, lambda: self._fail(TIMEOUT))

    def start(self) -> None:
        """Start the look-up."""
        try:
            addresses = _look_up(self._destination, socket.AI_NUMERICHOST)
        except OSError:
            # A look-up cannot be cancelled, so it runs in a thread that nothing waits for.
            name = f"simulator-dns-{self._destination.address}"
            threading.Thread(target=self._resolve, name=name, daemon=True).start()
        else:
            self._resolved(addresses)

    def cancel(self) -> None:
        """Cancel the attempt without calling back."""
        self._connected = self._failed = None
        self._timer.cancel()
        self._drop_socket()

    def _resolve(self) -> None:
        try:
            addresses = _look_up(self._destination, 0)
        except (OSError, UnicodeError):
            addresses = []
        self._loop.post(lambda: self._resolved(addresses))

    def _resolved(self, addresses: "list[_Address]") -> None:
        if self._failed is None:
            return
        if not addresses:
            self._fail(DNS_ERROR)
            return
        self._addresses = addresses
        self._try_next_address()

    def _try_next_address(self) -> None:
        self._drop_socket()
        if not self._addresses:
            self._fail(SOCK_CONNECT_FAIL)
            return
        family, address = self._addresses.pop(0)
        try:
            self._socket = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            self._try_next_address()
            return
        connection = self._socket
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        status = connection.connect_ex(address)
        if status in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._loop.watch(connection, WRITE, lambda _events: self._reached(connection))
        else:
            self._try_next_address()

    def _reached(self, connection: socket.socket) -> None:
        status = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if status:
            logger.debug("cannot connect to %s: %s", self._destination.address, os.strerror(status))
            self._try_next_address()
            return
        self._loop.unwatch(connection)
        if self._tls is None:
            self._hand_over(connection)
        else:
            self._begin_handshake(connection, self._tls)

    def _begin_handshake(self, connection: socket.socket, tls: TlsOptions) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(tls.timeout, lambda: self._fail(HANDSHAKE_FAIL))
        try:
            self._socket = secured = tls.context.wrap_socket(
                connection,
                server_hostname=self._destination.host if tls.sends_name else None,
                do_handshake_on_connect=False,
            )
        except (OSError, ValueError):
            self._fail(HANDSHAKE_FAIL)
            return
        self._shake_hands(secured, tls)

    def _shake_hands(self, connection: ssl.SSLSocket, tls: TlsOptions) -> None:
        try:
            connection.do_handshake()
        except ssl.SSLWantReadError:
            self._loop.watch(connection, READ, lambda _events: self._shake_hands(connection, tls))
        except ssl.SSLWantWriteError:
            self._loop.watch(connection, WRITE, lambda _events: self._shake_hands(connection, tls))
        except OSError as error:
            logger.debug("TLS handshake with %s failed: %s", self._destination.host, error)
            self._fail(HANDSHAKE_FAIL)
        else:
            self._loop.unwatch(connection)
            if tls.checks_name and not check_server_name(connection, self._destination.host):
                logger.debug("the certificate is not for %s", self._destination.host)
                self._fail(HANDSHAKE_FAIL)
                return
            if tls.time is not None and not is_valid_at(connection, tls.time):
                logger.debug("the certificate is not valid at the time of the module's clock")
                self._fail(HANDSHAKE_FAIL)
                return
            self._hand_over(connection)

    def _hand_over(self, connection: socket.socket) -> None:
        connected, self._socket = self._connected, None
        self.cancel()
        if connected is not None:
            connected(connection)

    def _fail(self, code: int) -> None:
        failed = self._failed
        self.cancel()
        if failed is not None:
            failed(code)

    def _drop_socket(self) -> None:
        if self._socket is not None:
            self._loop.unwatch(self._socket)
            self._socket.close()
            self._socket = None


_Address = tuple[int, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
_RESERVED_FOR_NO_HOST: Final = "invalid"


def _look_up(destination: Destination, flags: int) -> list[_Address]:
    if destination.address.rstrip(".").rpartition(".")[2].lower() == _RESERVED_FOR_NO_HOST:
        return []  # RFC 6761, 6.4: no such name, without asking a name server
    found = socket.getaddrinfo(destination.address, destination.port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _type, _protocol, _name, address in found]
