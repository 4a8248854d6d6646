"""Result codes and loss causes of the module, under the names of the application note."""

from enum import IntEnum
from typing import Self

_UNKNOWN = "not in the application note"


class _WireCode(IntEnum):
    """A number from the wire. A newer firmware may send a number that the note does not list."""

    _meaning: str

    # The default is for type checkers, which take `ResultCode(25)` for a call of this method.
    def __new__(cls, value: int, meaning: str = _UNKNOWN) -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member._meaning = meaning
        return member

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or value < 0:
            return None
        # Not stored in the enum, which numbers from the wire must not enlarge.
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        member._meaning = _UNKNOWN
        return member

    def __reduce_ex__(self, _protocol: object) -> tuple[type[Self], tuple[int]]:
        # Early releases of 3.11 pickle a member by its name, which finds only the members of the note.
        return type(self), (self._value_,)

    @property
    def meaning(self) -> str:
        """The meaning of the number, in the words of the application note."""
        return self._meaning


class ResultCode(_WireCode):
    """The result codes of chapter 4.1 of the application note; `meaning` has the words of the note.

    `ResultCode(n)` of a code beyond 35 is a member named `UNKNOWN_<n>`, never an error. It equals its number,
    and an iteration over the class leaves it out.
    """

    SUCCEEDED = 0, "operation succeeded"
    FAILED = 1, "failed"
    BAD_UTF8_STRING = 2, "bad UTF-8 string"
    SOCK_CONNECT_FAIL = 3, "sock connect fail"
    SOCK_CREATE_FAIL = 4, "sock create fail"
    SOCK_CLOSE_FAIL = 5, "sock close fail"
    MESSAGE_RECEIVE_FAIL = 6, "message receive fail"
    NETWORK_OPEN_FAIL = 7, "network open fail"
    NETWORK_CLOSE_FAIL = 8, "network close fail"
    NETWORK_NOT_OPENED = 9, "network not opened"
    CLIENT_INDEX_ERROR = 10, "client index error"
    NO_CONNECTION = 11, "no connection"
    INVALID_PARAMETER = 12, "invalid parameter"
    NOT_SUPPORTED_OPERATION = 13, "not supported operation"
    CLIENT_IS_BUSY = 14, "client is busy"
    REQUIRE_CONNECTION_FAIL = 15, "require connection fail"
    SOCK_SENDING_FAIL = 16, "sock sending fail"
    TIMEOUT = 17, "timeout"
    TOPIC_IS_EMPTY = 18, "topic is empty"
    CLIENT_IS_USED = 19, "client is used"
    CLIENT_NOT_ACQUIRED = 20, "client not acquired"
    CLIENT_NOT_RELEASED = 21, "client not released"
    LENGTH_OUT_OF_RANGE = 22, "length out of range"
    NETWORK_IS_OPENED = 23, "network is opened"
    PACKET_FAIL = 24, "packet fail"
    DNS_ERROR = 25, "DNS error"
    SOCKET_CLOSED_BY_SERVER = 26, "socket is closed by server"
    REFUSED_PROTOCOL_VERSION = 27, "connection refused: unaccepted protocol version"
    REFUSED_IDENTIFIER_REJECTED = 28, "connection refused: identifier rejected"
    REFUSED_SERVER_UNAVAILABLE = 29, "connection refused: server unavailable"
    REFUSED_BAD_USER_NAME_OR_PASSWORD = 30, "connection refused: bad user name or password"
    REFUSED_NOT_AUTHORIZED = 31, "connection refused: not authorized"
    HANDSHAKE_FAIL = 32, "handshake fail"
    CERTIFICATE_NOT_SET = 33, "not set certificate"
    OPEN_SESSION_FAILED = 34, "Open session failed"
    DISCONNECT_FAILED = 35, "Disconnect from server failed"


class LossCause(_WireCode):
    """The cause of a lost connection: `<cause>` of `+CMQTTCONNLOST`, chapter 4.2 of the application note.

    As with `ResultCode`, a number that the note does not list becomes `UNKNOWN_<n>`.
    """

    CLOSED_PASSIVELY = 1, "Socket is closed passively."
    RESET = 2, "Socket is reset."
    NETWORK_CLOSED = 3, "Network is closed."
