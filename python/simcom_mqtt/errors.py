"""The exceptions of the package. All of them derive from `SimcomError`."""

from __future__ import annotations

TYPE_CHECKING = False  # the imports below take longer than the rest of the package
if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any

    from simcom_mqtt._native import Message
    from simcom_mqtt.codes import ResultCode

__all__ = [
    "ClosedError",
    "CommandError",
    "CommandTimeoutError",
    "ConnectError",
    "ConnectionLostError",
    "MessageTimeoutError",
    "ModuleRestartedError",
    "MqttError",
    "NotConnectedError",
    "OutcomeUnknownError",
    "PortError",
    "SimcomError",
]


class SimcomError(Exception):
    """Base class: a failure of the module, its port or its network.

    `SimcomError(message)`; `str(error)` is the message: what failed, what the module said, what to try.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return _blank, (type(self), self.args), self.__dict__


def _blank(cls: type[SimcomError], args: tuple[object, ...]) -> SimcomError:
    # By default pickle calls the class with `args`, which do not hold the keyword arguments.
    error = cls.__new__(cls)
    error.args = args
    return error


class PortError(SimcomError, OSError):
    """The port cannot be opened (missing, busy, no permission), or it was lost while in use.

    `PortError(message)`.
    """


class ClosedError(SimcomError):
    """The object was used after `close()` or `release()`, or in a forked child: the parent owns the port.

    `ClosedError(message)`.
    """


class CommandError(SimcomError):
    """The module answered a command with `ERROR` or `+CME ERROR: …`.

    `CommandError(message, *, command, response)`.

    command: the AT command as it was written, secrets masked.
    response: the module's final result code, as in `ERROR` or `+CME ERROR: SIM not inserted`.
    """

    command: str
    response: str

    def __init__(self, message: str, *, command: str, response: str) -> None:
        super().__init__(message)
        self.command = command
        self.response = response


class MqttError(CommandError):
    """An MQTT command failed with a result code of chapter 4.1 of the application note.

    `MqttError(message, *, command, response, code, client_index)`.

    code: the result code; None: the module gave a bare `ERROR`.
    client_index: 0 or 1; None: the command concerns the whole service, as `AT+CMQTTSTART` does.
    """

    code: ResultCode | None
    client_index: int | None

    def __init__(
        self, message: str, *, command: str, response: str, code: int | None, client_index: int | None
    ) -> None:
        from simcom_mqtt.codes import ResultCode

        super().__init__(message, command=command, response=response)
        self.code = None if code is None else ResultCode(code)
        self.client_index = client_index


class ConnectError(MqttError, ConnectionError):
    """`AT+CMQTTCONNECT` failed: no route, no broker, a failed TLS handshake, or the broker refused.

    `ConnectError(message, *, command, response, code, client_index)`, as `MqttError`.
    """


class CommandTimeoutError(SimcomError, TimeoutError):
    """The module did not answer in time. The AT channel is usable again.

    `CommandTimeoutError(message, *, command)`.

    command: the AT command that was not answered, secrets masked.
    """

    command: str

    def __init__(self, message: str, *, command: str) -> None:
        super().__init__(message)
        self.command = command


class OutcomeUnknownError(SimcomError):
    """`AT+CMQTTPUB` was written and its result was not read: the message may have been delivered, or not.

    Not a `TimeoutError` or `ConnectionError`: a loop that retries after those must not publish the message
    twice by accident. `__cause__` is the reason why the result is missing.

    `OutcomeUnknownError(message, *, late=None)`.

    late: a future of the result; it fails once the result can no longer come. A pickled or copied error, and
        one made without a future, gets a future that has failed.
    """

    late: Future[None]

    def __init__(self, message: str, *, late: Future[None] | None = None) -> None:
        super().__init__(message)
        self.late = _failed_future() if late is None else late

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, arguments, state = super().__reduce__()
        return rebuild, arguments, {name: value for name, value in state.items() if name != "late"}

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        super().__setstate__(state)
        self.late = _failed_future()


def _failed_future() -> Future[None]:
    from concurrent.futures import Future

    future: Future[None] = Future()
    future.set_exception(SimcomError("the result of this publish is no longer waited for"))
    return future


class ConnectionLostError(SimcomError, ConnectionError):
    """The client is not connected, or lost its connection before the message was handed over: not sent.

    `ConnectionLostError(message)`.
    """


class ModuleRestartedError(ConnectionLostError):
    """The module rebooted: service, clients, connections and subscriptions are gone.

    `ModuleRestartedError(message)`.
    """


class NotConnectedError(ConnectionLostError, MqttError):
    """The module answered that the client has no connection (`code` NO_CONNECTION): nothing was sent.

    `NotConnectedError(message, *, command, response, code, client_index)`, as `MqttError`.
    """

    def __init__(
        self, message: str, *, command: str, response: str, code: int | None, client_index: int | None
    ) -> None:
        MqttError.__init__(
            self, message, command=command, response=response, code=code, client_index=client_index
        )


class MessageTimeoutError(SimcomError, TimeoutError):
    """No matching message arrived in time.

    `MessageTimeoutError(message, *, received)`.

    received: the messages that arrived during the wait, matching or not, oldest first.
    """

    received: list[Message]

    def __init__(self, message: str, *, received: list[Message]) -> None:
        super().__init__(message)
        self.received = received
