# The native half of the package: what the extension module holds, described for type checkers and editors.
#
# Units: seconds for every time, bytes for every length. Every blocking call releases the GIL, raises when its
# `timeout` expires, and answers Ctrl-C within 100 ms. An argument outside the module's range is a ValueError
# that names argument, value and range, raised before a byte is written. Chapters are those of the application
# note.

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from datetime import datetime
from os import PathLike
from typing import Any, Literal, ParamSpec, Self, TypeVar, final

from typing_extensions import disjoint_base

from simcom_mqtt.codes import LossCause
from simcom_mqtt.errors import MessageTimeoutError
from simcom_mqtt.futures import OperationFuture
from simcom_mqtt.types import Callback, Payload, Pem, QoS, Topic
from simcom_mqtt.values import (
    Cell,
    ClientState,
    ModuleInfo,
    PdpContext,
    PortInfo,
    Position,
    Registration,
    SignalQuality,
    Sim,
    Stats,
)

_P = ParamSpec("_P")
_T = TypeVar("_T")

__version__: str

@disjoint_base
class SimcomMqtt:
    """One SIM7672X/SIM7652X module on one AT port: owns the port and its background threads."""

    def __init__(
        self,
        port: str,
        baudrate: int = 115_200,
        *,
        flow_control: Literal["none", "hardware", "software"] = "none",
        command_timeout: float = 10.0,
        queue_size: int = 65_536,
        transcript: str | PathLike[str] | None = None,
    ) -> None:
        """Open the port exclusively, find the module with `AT`, and switch its echo off (`ATE0`).

        port: "/dev/ttyUSB2", "COM5", or "socket://host:port" (raw TCP, as ser2net serves it).
        baudrate: bits per second; a USB port ignores it.
        command_timeout: for commands that have no documented limit of their own.
        queue_size: messages (and 64 MiB) that may wait for the callback thread. When it is full the newest is
            dropped, counted in `stats.dropped_messages` and told to `on_message_lost`.
        transcript: a file that gets everything both ways, timestamped, secrets masked.

        PortError: the port is missing or busy, or may not be opened.
        CommandTimeoutError: nothing answers on it.
        """

    def close(self) -> None:
        """Close the port and stop the threads, in at most 2 s: from any thread, any number of times.

        Also done when the interpreter exits. What the module holds (clients, connections) stays as it is.
        Waiting calls end with ClosedError, and every future ends. Callbacks get what has arrived as far as
        they take it in that time; the rest counts in `stats.dropped_messages`, and none begins afterwards.
        """

    def __enter__(self) -> Self: ...
    def _open(
        self,
        port: str,
        baudrate: int = 115_200,
        *,
        flow_control: Literal["none", "hardware", "software"] = "none",
        command_timeout: float = 10.0,
        queue_size: int = 65_536,
        transcript: str | PathLike[str] | None = None,
    ) -> None:
        """Open, as `__init__` does: for `simcom_mqtt.aio`, which submits it."""

    def _leave(self) -> None:
        """Disconnect, release and stop what this object started, in at most 5 s; `aio` closes afterwards."""

    def __exit__(self, *exc: object) -> None:
        """Disconnect, release and stop what this object started, in at most 5 s, then close.

        Never hides the exception that left the body.
        """

    @property
    def port(self) -> str:
        """The port, as it was given."""

    @property
    def is_open(self) -> bool:
        """True while the port is open; False after `close()`."""

    def connect(
        self,
        url: str,
        *,
        client_id: str | None = None,
        index: Literal[0, 1] | None = None,
        username: str | None = None,
        password: str | None = None,
        keepalive: int = 60,
        clean_session: bool = True,
        will: Will | None = None,
        tls: Tls | None = None,
        version: Literal["3.1", "3.1.1"] = "3.1.1",
        check_utf8: bool = True,
        operation_timeout: int = 120,
        reconnect: Reconnect | None = None,
        timeout: float = 120.0,
    ) -> MqttClient:
        """Connect to a broker in one call: START if needed, ACCQ, CFG, SSLCFG, WILLTOPIC, WILLMSG, CONNECT.

        The flows of chapter 3.1 to 3.5.

        url: "mqtt://host[:1883]" or "tcp://…", "mqtts://host[:8883]" or "ssl://…", or "host[:port]".
        client_id: 1–128 bytes; None: "<IMEI>-<index>".
        index: which of the two clients; None: the first that is free.
        username: 1–256 bytes.
        password: up to 256 bytes; some firmware wants an empty one with a user name.
        keepalive: 1–64800 s between two packets.
        tls: None with mqtts:// verifies the server, and so asks for a `ca`.
        version: the MQTT protocol, `AT+CMQTTCFG="version"`.
        check_utf8: whether the module refuses topics that are not UTF-8.
        operation_timeout: 20–120 s for the module to send or receive, `AT+CMQTTCFG="optimeout"`.

        ConnectError: the module or the broker said no; `code` tells why. The client is released again.
            Interrupted, the driver disconnects and releases the client that it comes to.
        CommandTimeoutError: no result within `timeout`.
        """

    def start(self, *, timeout: float = 14.0) -> None:
        """Start the MQTT service, which activates a PDP context: `AT+CMQTTSTART`, chapter 2.2.1.

        A service that an earlier process left running is taken over.

        MqttError: this object has started it already (a bare ERROR, `code` None), or there is no network.
        """

    def stop(self, *, timeout: float = 14.0) -> None:
        """Stop the MQTT service: `AT+CMQTTSTOP`, chapter 2.2.2.

        Clients that an earlier process left acquired are released first.

        MqttError: it does not run, or a client of this object is still acquired.
        """

    def acquire(self, client_id: str, index: Literal[0, 1] = 0, *, tls: bool = False) -> MqttClient:
        """Acquire a client of the module: `AT+CMQTTACCQ`, chapter 2.2.3.

        client_id: 1–128 bytes.
        tls: whether the client will connect by TLS.

        A client that an earlier process left acquired is disconnected and released first.

        MqttError: this object has acquired it already (`code` CLIENT_IS_USED or None), or the service does
            not run.
        """

    def clients(self) -> list[MqttClient]:
        """The acquired clients, ours or found on the module: `AT+CMQTTACCQ?`, chapter 2.2.3."""

    def is_started(self) -> bool:
        """Ask whether the MQTT service runs: `AT+CMQTTREL?`, chapter 2.2.4, which answers ERROR if not."""

    def subscribed_topics(self) -> list[bytes]:
        """The topic filters of both clients, not told apart: `AT+CMQTTSUB?`, chapter 2.2.13."""

    def limits(self) -> dict[str, list[str]]:
        """The ranges that this firmware takes: each MQTT command's `=?` form, chapter 2.2.

        The values are the information lines without their prefix: `{"CMQTTPUB":
        ["(0-1),(0-2),(60-180),(0-1),(0-1)"]}`.
        """

    def command(
        self, command: str, data: Payload | None = None, *, timeout: float | None = None
    ) -> list[str]:
        """Run any AT command, and return its information lines.

        data: what its `>` prompt gets.
        timeout: None: the `command_timeout` of this object.

        CommandError: the module answered ERROR or +CME ERROR.
        CommandTimeoutError: it did not answer in time.
        """

    def configure_ssl(self, context: int, **settings: int | str) -> None:
        """Set parameters of an SSL context: `AT+CSSLCFG="<name>",<context>,<value>` for each one.

        context: 0–9.
        settings: sslversion, authmode, cacert, clientcert, clientkey, ignorelocaltime, negotiatetime,
            enableSNI, …

        CommandError: the module knows no such setting or value.
        """

    def ssl_context(self, context: int) -> dict[str, int | str]:
        """The parameters of an SSL context, 0–9: `AT+CSSLCFG=<context>`."""

    def upload_certificate(self, name: str, pem: Pem, *, timeout: float = 120.0) -> None:
        """Store a certificate or key on the module: `AT+CCERTDOWN`, 1–10240 bytes.

        name: 5–55 characters, ending in .pem or .der.
        """

    def certificates(self) -> list[str]:
        """The names of the files in the module's certificate store: `AT+CCERTLIST`."""

    def delete_certificate(self, name: str) -> None:
        """Remove a file from the module's certificate store: `AT+CCERTDELE`.

        CommandError: there is no such file.
        """

    def info(self) -> ModuleInfo:
        """The identity of the module: `AT+CGMI`, `AT+CGMM`, `AT+CGMR`, `AT+CGSN`."""

    def signal_quality(self) -> SignalQuality:
        """The strength of the received signal: `AT+CSQ`."""

    def cell(self) -> Cell:
        """The cell that serves the module: `AT+CPSI?`."""

    def pdp_contexts(self) -> dict[int, bool]:
        """The PDP contexts by their number, and if each is active: `AT+CGACT?`."""

    def wait_for_network(self, timeout: float = 60.0) -> Cell:
        """Wait until the module is registered and a PDP context for data is active.

        From `AT+CEREG?`, `CGREG?`, `CREG?` and `CGACT?`. Registered is a module in LTE, WCDMA or GSM; the
        context of IMS alone carries no data.

        CommandTimeoutError: not within `timeout`; the message tells what was still missing.
        """

    def sim(self) -> Sim:
        """The SIM card: `AT+CPIN?`, `AT+CICCID`, `AT+CIMI`."""

    def enter_pin(self, pin: str) -> None:
        """Enter the PIN of the SIM card: `AT+CPIN`. A card that is ready gets nothing.

        pin: 4–8 digits. Never logged, and never sent again once the card refused it: three wrong ones lock
            the card.

        CommandError: the PIN is wrong, or the card waits for its PUK.
        """

    def registration(self) -> Registration:
        """The registration in the network: `AT+COPS?`, and the best of `AT+CEREG?`, `CGREG?` and `CREG?`."""

    def data_contexts(self) -> list[PdpContext]:
        """The PDP contexts that carry data: `AT+CGDCONT?`, `AT+CGACT?`, `AT+CGPADDR`.

        Those for IMS and for emergency calls are left out: `pdp_contexts()` has all.
        """

    def set_apn(
        self,
        apn: str,
        *,
        context: int = 1,
        type: Literal["IP", "IPV6", "IPV4V6"] = "IPV4V6",
        user: str | None = None,
        password: str | None = None,
        auth: Literal["none", "pap", "chap"] | None = None,
    ) -> None:
        """Set the access point of the operator: `AT+CGDCONT`, and `AT+CGAUTH` if it asks for a user.

        The module keeps it, and uses it when it activates the context next: at `start()`, or after a restart.

        apn: up to 100 bytes; empty: the network chooses.
        context: 1–24. The MQTT service uses 1.
        type: "IP", "IPV6" or "IPV4V6".
        user, password: 1–127 bytes each, never logged.
        auth: "none", "pap" or "chap"; None: the authentication stays as it is, or with a user the network
            chooses.

        CommandError: the module refuses it.
        """

    def clock(self) -> datetime | None:
        """The clock of the module, with its time zone: `AT+CCLK?`. None: it was never set."""

    def sync_clock(self, server: str = "pool.ntp.org", *, timeout: float = 30.0) -> datetime:
        """Set the clock from a time server, and return it: `AT+CNTP`. The time zone stays as it is.

        server: 1–255 bytes.

        CommandError: the module cannot reach the server.
        CommandTimeoutError: no result within `timeout`.
        """

    def set_gnss(self, on: bool, *, timeout: float = 30.0) -> None:
        """Switch the satellite receiver on or off: `AT+CGNSSPWR`. After some seconds it is ready.

        CommandError: the module has no receiver.
        CommandTimeoutError: the receiver is not ready within `timeout`.
        """

    def position(self) -> Position | None:
        """The position by satellites: `AT+CGNSSINFO`. None: no fix, or the receiver is off (`set_gnss`)."""

    @property
    def stats(self) -> Stats:
        """Counters since the port was opened, as they are now."""

    @property
    def on_message(self) -> Callback | None:
        """Called with each message that neither a subscription's callback nor its client's `on_message` took.

        Callbacks run one at a time, in order, on one Python thread, and may call any method here.
        """

    @on_message.setter
    def on_message(self, callback: Callback | None) -> None: ...
    @property
    def on_connection_lost(self) -> Callable[[MqttClient, LossCause], object] | None:
        """Called when a client lost its connection: `+CMQTTCONNLOST`, chapter 4.2."""

    @on_connection_lost.setter
    def on_connection_lost(self, callback: Callable[[MqttClient, LossCause], object] | None) -> None: ...
    @property
    def on_network_lost(self) -> Callable[[], object] | None:
        """Called when the module lost the network: `+CMQTTNONET`, chapter 4.2.

        The service must be started again.
        """

    @on_network_lost.setter
    def on_network_lost(self, callback: Callable[[], object] | None) -> None: ...
    @property
    def on_reconnected(self) -> Callable[[MqttClient], object] | None:
        """Called when a client with a `Reconnect` policy is connected and subscribed again."""

    @on_reconnected.setter
    def on_reconnected(self, callback: Callable[[MqttClient], object] | None) -> None: ...
    @property
    def on_restart(self) -> Callable[[], object] | None:
        """Called when the module has rebooted: nothing on it is as it was."""

    @on_restart.setter
    def on_restart(self, callback: Callable[[], object] | None) -> None: ...
    @property
    def on_port_lost(self) -> Callable[[str], object] | None:
        """Called with the reason when the port is gone: the cable, or the power.

        A `Reconnect` opens it once it is back.
        """

    @on_port_lost.setter
    def on_port_lost(self, callback: Callable[[str], object] | None) -> None: ...
    @property
    def on_message_lost(self) -> Callable[[int | None, str], object] | None:
        """Called with the client index, if known, and why a message was lost: damage, or a full queue."""

    @on_message_lost.setter
    def on_message_lost(self, callback: Callable[[int | None, str], object] | None) -> None: ...
    @property
    def on_urc(self) -> Callable[[str], object] | None:
        """Called with any other line that the module sends unasked, as "+CREG: 5" or "SMS DONE"."""

    @on_urc.setter
    def on_urc(self, callback: Callable[[str], object] | None) -> None: ...
    @property
    def callback_errors(self) -> list[BaseException]:
        """The first 100 exceptions that callbacks raised. Each is logged too, and delivery goes on."""

@final
class MqttClient:
    """Client 0 or 1 of a module: one object per acquired client.

    Made by `SimcomMqtt.connect`, `SimcomMqtt.acquire` and `SimcomMqtt.clients`.
    """

    @property
    def modem(self) -> SimcomMqtt:
        """The module that this client is part of."""

    @property
    def index(self) -> int:
        """0 or 1."""

    @property
    def client_id(self) -> str:
        """The client id, which the broker knows it by."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None:
        """Disconnect and release. Never hides the exception that left the body."""

    def set_will(self, topic: Topic, payload: Payload, qos: QoS = 0) -> None:
        """Set the will of the next connect: `AT+CMQTTWILLTOPIC`, `AT+CMQTTWILLMSG`, chapters 2.2.6 and 2.2.7.

        topic, payload: 1–1024 bytes each. The module's wills have no retain flag. A client that is brought
        back by a `Reconnect` gets it too.

        MqttError: the client is not acquired, or the text is not UTF-8 while `check_utf8` is on.
        """

    def use_ssl_context(self, context: int) -> None:
        """Use SSL context 0–9 for TLS: `AT+CMQTTSSLCFG`, chapter 2.2.5.

        The module forgets it with each failed connect and each disconnect, so it is issued again before later
        ones.
        """

    def configure(
        self,
        *,
        check_utf8: bool | None = None,
        operation_timeout: int | None = None,
        version: Literal["3.1", "3.1.1"] | None = None,
    ) -> None:
        """Set what is given, before connecting: `AT+CMQTTCFG`, chapter 2.2.15.

        check_utf8: whether the module refuses topics that are not UTF-8 (its default: yes).
        operation_timeout: 20–120 s for the module to send or receive (its default: 120).
        version: of MQTT (its default: 3.1).
        """

    def connect(
        self,
        url: str,
        *,
        keepalive: int = 60,
        clean_session: bool = True,
        username: str | None = None,
        password: str | None = None,
        timeout: float = 120.0,
    ) -> None:
        """Connect to a broker: `AT+CMQTTCONNECT`, chapter 2.2.8. Arguments as in `SimcomMqtt.connect`.

        ValueError: also if the scheme contradicts `acquire(tls=…)`.
        ConnectError: the module or the broker said no; `code` tells why.
        CommandTimeoutError: no result within `timeout`.
        """

    def disconnect(self, timeout: float = 60.0) -> None:
        """Disconnect from the broker: `AT+CMQTTDISC`, chapter 2.2.9.

        Ends what the `reconnect` of `SimcomMqtt.connect` began; such a client may be away already. A later
        `connect()` of this object does not reconnect; one of `SimcomMqtt` with a `reconnect` does.

        MqttError: the client is not connected and does not reconnect (`code` NO_CONNECTION).
        """

    def release(self) -> None:
        """Give the client back to the module: `AT+CMQTTREL`, chapter 2.2.4.

        Its callbacks still get what came before. Whatever else this object is used for is then a ClosedError.

        MqttError: it is still connected.
        """

    def publish(
        self,
        topic: Topic,
        payload: Payload = b"",
        qos: QoS = 0,
        *,
        retain: bool = False,
        dup: bool = False,
        timeout: float = 60.0,
    ) -> None:
        """Publish, and wait for the result: `AT+CMQTTTOPIC`, `PAYLOAD`, `PUB`, chapters 2.2.10 to 2.2.12.

        topic: 1–1024 bytes.
        payload: up to what the module's `AT+CMQTTPAYLOAD=?` says, 4096 bytes on this family.
        dup: marks a delivery that may be a repetition.
        timeout: the module itself gets this, rounded up, within 60–180 s.

        MqttError: the module said no.
        ConnectionLostError: not connected, so certainly not sent.
        OutcomeUnknownError: it was handed over, and no result came.
        """

    def publish_nowait(
        self,
        topic: Topic,
        payload: Payload = b"",
        qos: QoS = 0,
        *,
        retain: bool = False,
        dup: bool = False,
        timeout: float = 60.0,
    ) -> Future[None]:
        """Queue a publish, and return a future of its result. Arguments and errors as of `publish`.

        Publishes of a client go out in order. Blocks while 1,000 of them wait. A future that is cancelled
        before its first byte is written is not sent. `timeout` runs from its turn on. What
        `add_done_callback` adds runs on one thread and may call any method here; only another future's result
        it must not wait for.
        """

    def subscribe(
        self,
        topic: Topic,
        qos: QoS = 0,
        *,
        dup: bool = False,
        callback: Callback | None = None,
        timeout: float | None = None,
    ) -> None:
        """Subscribe to a topic filter of 1–1024 bytes: `AT+CMQTTSUB`, chapter 2.2.13.

        callback: called with each message that matches, retained ones that come before the result included.
        timeout: None: the operation time-out plus 5 s.

        MqttError: the module or the broker said no.
        """

    def unsubscribe(self, topic: Topic, *, dup: bool = False, timeout: float | None = None) -> None:
        """Unsubscribe from a topic filter, and drop its callback: `AT+CMQTTUNSUB`, chapter 2.2.14."""

    def is_connected(self) -> bool:
        """Return True if the client is connected as far as the driver knows. Sends no command."""

    def query(self) -> ClientState:
        """Ask the module for this client's state: `AT+CMQTTACCQ?`, `CONNECT?`, `DISC?`, `SSLCFG?`, `CFG?`."""

    @property
    def on_message(self) -> Callback | None:
        """Called with each message that no subscription's callback took; None: the modem's is."""

    @on_message.setter
    def on_message(self, callback: Callback | None) -> None: ...
    def capture(self, filter: Topic = "#") -> Capture:
        """Collect what arrives from this call on: `with client.capture("dut/#") as inbox: …`.

        ValueError: the filter has a wildcard in the wrong place.
        """

    def _inbox(self, filter: Topic, *, everything: bool = False, timeout: float | None = None) -> Inbox: ...
    def messages(self, filter: Topic = "#", *, timeout: float | None = None) -> Iterator[Message]:
        """Iterate over what arrives from this call on.

        timeout: between two messages; the iteration ends with it. None: wait for ever.
        """

    def wait_for_message(
        self,
        filter: Topic = "#",
        *,
        timeout: float = 10.0,
        match: Callable[[Message], bool] | None = None,
    ) -> Message:
        """Wait for a message that arrives after this call.

        For request and reply use `capture()`, which starts before the request.

        match: which message to take; runs in the caller's thread.

        MessageTimeoutError: none came in time; `received` tells which others did.
        """

@final
class Capture:
    """The messages of a client that match a filter, collected while a `with` block runs.

    Made by `MqttClient.capture`.
    """

    @property
    def messages(self) -> list[Message]:
        """All that arrived so far, those handed out by `get()` included."""

    def __len__(self) -> int:
        """How many have arrived so far."""

    def __iter__(self) -> Iterator[Message]:
        """Iterate over what has arrived so far."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None:
        """Stop collecting. What was collected can still be read."""

    def get(self, timeout: float = 10.0) -> Message:
        """The next message, waiting for it if need be.

        MessageTimeoutError: none came in time; `received` tells what arrived before.
        """

    def wait_count(self, n: int, timeout: float = 10.0) -> list[Message]:
        """Wait until `n` messages have arrived since the beginning, and return them all.

        MessageTimeoutError: fewer came in time; they are in `received`.
        """

    def _repr_html_(self) -> str:
        """As a table, for notebooks."""

@final
class Inbox:
    """The messages of a client that a filter selects, for who waits without a thread.

    What `simcom_mqtt.aio` is made with. Collects from its making to its end.
    """

    @property
    def messages(self) -> list[Message]:
        """All that arrived and was not forgotten."""

    def __len__(self) -> int: ...
    def next(self, *, forget: bool = False) -> Message | None:
        """The next message, if it is there: kept in `messages`, or forgotten."""

    def arrival(self, count: int | None = None) -> Future[None]:
        """A future that is done once there is a next message, or `count` in all, or the inbox has ended.

        The future returns no message, so that a cancelled wait loses none.

        ClosedError, ConnectionLostError, PortError: none can come.
        """

    @property
    def has_ended(self) -> bool:
        """True after `end`."""

    def end(self) -> None:
        """Stop collecting. What was collected can still be read."""

    def missing(self, what: str) -> MessageTimeoutError:
        """The error that says `what` is missing, and lists what did arrive."""

    @staticmethod
    def check_timeout(timeout: float) -> float:
        """The time-out of a wait, if it is one: 0 looks without waiting."""

def submit(method: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> OperationFuture[_T]:
    """Call a method of `SimcomMqtt` or `MqttClient`, and return the future of its result instead of waiting.

    `simcom_mqtt.aio` is made with this. Arguments that the method refuses are an exception of this call.
    """

@final
class Message:
    """One received message. Immutable, equal by client index, topic and payload.

    The module does not tell QoS, retain flag or packet identifier.
    """

    def __new__(
        cls, topic: Topic, payload: Payload, client_index: int = 0, received_at: float = 0.0
    ) -> Self: ...
    @property
    def topic(self) -> str:
        """The topic as text, bytes that are not UTF-8 as surrogate escapes."""

    @property
    def topic_bytes(self) -> bytes:
        """The topic as it was received."""

    @property
    def payload(self) -> bytes:
        """The payload as it was received."""

    @property
    def client_index(self) -> int:
        """Which client received it: 0 or 1."""

    @property
    def received_at(self) -> float:
        """`time.time()` when its last byte was read."""

    def text(self, encoding: str = "utf-8") -> str:
        """The payload as text.

        UnicodeDecodeError: it is not in that encoding.
        """

    def json(self) -> Any:
        """The payload parsed as JSON.

        ValueError: it is not JSON.
        """

    def matches(self, filter: Topic) -> bool:
        """True if the topic matches an MQTT filter with its wildcards + and #.

        Topics that begin with $ are not matched by a leading wildcard; "$share/group/" is stripped.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def _repr_html_(self) -> str:
        """As a table, for notebooks."""

@final
class Will:
    """The message that the broker publishes if the connection breaks: topic and payload, 1–1024 bytes each.

    Entered by `AT+CMQTTWILLTOPIC` and `AT+CMQTTWILLMSG`, chapters 2.2.6 and 2.2.7. The module's wills have no
    retain flag.

    ValueError: a topic or payload of 0 or more than 1024 bytes, or a QoS beyond 2.
    """

    def __new__(cls, topic: Topic, payload: Payload, qos: QoS = 0) -> Self: ...
    @property
    def topic(self) -> str:
        """The topic as text, bytes that are not UTF-8 as surrogate escapes."""

    @property
    def payload(self) -> bytes:
        """As it goes out."""

    @property
    def qos(self) -> int:
        """0, 1 or 2."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Tls:
    """The certificates and the SSL context of one connection: `AT+CSSLCFG`.

    Certificates are uploaded once, under a name made from their content. A Path is read here, not at
    `connect`.

    verify: "server" (authmode 1), "mutual" (2, which needs `cert` and `key`), "none" (0).
    ca, cert, key: bytes or a Path is uploaded; str is PEM text if it begins with -----BEGIN, else the name of
        a file that is on the module already.
    context: 0–9; None: the one numbered as the client.
    sslversion: 0–4, as in `AT+CSSLCFG="sslversion"`; 4: the newest that both sides know.
    sni: send the host name in the handshake; False leaves the setting of the module as it is.
    ignore_local_time: do not check a certificate's dates against the module's clock.
    settings: further names and values of `AT+CSSLCFG`, as {"alpn": "mqtt", "negotiatetime": 60}.

    ValueError: a value beyond its range, or files that do not go with `verify`.
    OSError: a Path cannot be read.
    """

    def __new__(
        cls,
        *,
        verify: Literal["server", "mutual", "none"] = "server",
        ca: Pem | str | None = None,
        cert: Pem | str | None = None,
        key: Pem | str | None = None,
        context: int | None = None,
        sslversion: int = 4,
        sni: bool = True,
        ignore_local_time: bool = True,
        settings: Mapping[str, int | str] | None = None,
    ) -> Self: ...

@final
class Reconnect:
    """How to come back after a lost connection, a lost network, a reboot or a port that was away.

    Rebuilds service, client, connection and subscriptions, with exponential back-off and jitter.

    min_delay, max_delay: seconds between two attempts.
    give_up_after: seconds without success; None: never.
    resend_qos2: send QoS 2 publishes in flight again, which may deliver them twice.

    ValueError: a time that is not positive, or a `max_delay` below `min_delay`.
    """

    def __new__(
        cls,
        *,
        min_delay: float = 1.0,
        max_delay: float = 60.0,
        give_up_after: float | None = None,
        resend_qos2: bool = False,
    ) -> Self: ...
    @property
    def min_delay(self) -> float:
        """The least seconds between two attempts; the first comes at once."""

    @property
    def max_delay(self) -> float:
        """The most seconds between two attempts."""

    @property
    def give_up_after(self) -> float | None:
        """Seconds without success after which no more attempt is made; None: never."""

    @property
    def resend_qos2(self) -> bool:
        """True: QoS 2 publishes in flight go out again."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

def list_ports() -> list[PortInfo]:
    """The serial ports of this host."""
