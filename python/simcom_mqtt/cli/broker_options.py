"""The broker that a command connects to, and the options of mosquitto_pub that choose it."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, cast
from urllib.parse import unquote, urlsplit

import click
from click.core import ParameterSource

from simcom_mqtt import MqttClient, QoS, Reconnect, SimcomMqtt, Tls, Will

from .device_options import Device
from .output import ask_secret, echo_error

MODULE_FILE: Final = "module:"
TLS_PORT: Final = 8883


@dataclass(frozen=True)
class Broker:
    """The broker that the options name, and how to connect to it."""

    url: str | None
    """None: the options name no broker."""
    topic: str | None = None
    """The topic in `--url`."""
    client_id: str | None = None
    username: str | None = None
    password: str | None = None
    keepalive: int = 60
    version: Literal["3.1", "3.1.1"] = "3.1.1"
    tls: Tls | None = None
    has_client_certificate: bool = False
    will: Will | None = None

    @contextmanager
    def reachable_from(self, device: Device) -> Iterator[str]:
        """Yield the URL to connect to. A simulated module gets a broker on this machine if none is named."""
        if self.url:
            yield self.url
            return
        if not device.is_simulated:
            raise click.UsageError(
                "name a broker that the module can reach through its network: --host HOST or --url mqtt://HOST"
            )
        from simcom_mqtt.local_broker import local_broker

        with local_broker() as broker:
            echo_error(f"{broker.program} on port {broker.port}")
            yield broker.url

    def connect(
        self,
        modem: SimcomMqtt,
        url: str,
        device: Device,
        *,
        clean_session: bool = True,
        reconnect: Reconnect | None = None,
    ) -> MqttClient:
        """Connect a client of the module."""
        return modem.connect(
            url,
            client_id=self.client_id,
            username=self.username,
            password=self.password,
            keepalive=self.keepalive,
            clean_session=clean_session,
            version=self.version,
            tls=self.tls,
            will=self.will,
            reconnect=reconnect,
            timeout=device.timeout_or(120.0),
        )

    @contextmanager
    def connected(
        self, device: Device, *, clean_session: bool = True, reconnect: Reconnect | None = None
    ) -> Iterator[MqttClient]:
        """Yield a connected client of the module. The end of the block leaves the module clean."""
        with self.reachable_from(device) as url, device.open() as modem:
            # Closing the modem disconnects the client too, and never takes longer than 5 s.
            yield self.connect(modem, url, device, clean_session=clean_session, reconnect=reconnect)


_OPTIONS: Final = (
    click.option("-h", "--host", metavar="HOST", help="The broker; the module must reach it."),
    click.option(
        "-p",
        "--port",
        type=click.IntRange(1, 65535),
        metavar="PORT",
        help="The broker's port.  [default: 1883, with TLS 8883]",
    ),
    click.option(
        "-L",
        "--url",
        metavar="URL",
        help="All in one: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC].",
    ),
    click.option(
        "-i", "--id", "client_id", metavar="ID", help="Client id.  [default: IMEI and client index]"
    ),
    click.option("-u", "--username", metavar="NAME"),
    click.option(
        "-P",
        "--pw",
        "password",
        metavar="PASSWORD",
        envvar="SIMCOM_PASSWORD",
        show_envvar=True,
        help="The list of processes shows it to all users here; the variable and --ask-password hide it.",
    ),
    click.option(
        "--ask-password",
        is_flag=True,
        help="Ask for the password; without a terminal, take a line of standard input.",
    ),
    click.option(
        "-k",
        "--keepalive",
        type=click.IntRange(1, 64800),
        default=60,
        show_default=True,
        metavar="SECONDS",
    ),
    click.option(
        "-V",
        "--protocol-version",
        type=click.Choice(["mqttv31", "mqttv311", "31", "311"]),
        default="mqttv311",
        show_default=True,
    ),
    click.option(
        "--cafile",
        metavar="FILE",
        help="Certificate of the authority that verifies the broker; turns TLS on. module:NAME is a file in "
        "the module's certificate store.",
    ),
    click.option("--cert", metavar="FILE", help="Certificate of the client, as --cafile."),
    click.option("--key", metavar="FILE", help="Private key of the client, as --cafile."),
    click.option(
        "--insecure",
        is_flag=True,
        help="TLS without verification, neither of the broker's certificate nor of its name.",
    ),
    click.option("--will-topic", metavar="TOPIC"),
    click.option("--will-payload", metavar="TEXT"),
    click.option("--will-qos", type=click.IntRange(0, 2), default=0, show_default=True),
)


def broker_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of its argument `broker: Broker`."""

    @functools.wraps(command)
    def with_broker(
        *arguments: Any,
        host: str | None,
        port: int | None,
        url: str | None,
        client_id: str | None,
        username: str | None,
        password: str | None,
        ask_password: bool,
        keepalive: int,
        protocol_version: str,
        cafile: str | None,
        cert: str | None,
        key: str | None,
        insecure: bool,
        will_topic: str | None,
        will_payload: str | None,
        will_qos: int,
        **others: Any,
    ) -> None:
        if url and (host or port):
            raise click.UsageError("name the broker either by --url or by --host and --port")
        uses_tls = bool(cafile or cert or key or insecure) or port == TLS_PORT
        address = _read_url(url, uses_tls=uses_tls) if url else _Address(_url(host, port, uses_tls=uses_tls))
        uses_tls = uses_tls or (address.url or "").startswith("mqtts:")
        if ask_password:
            password = _ask_password()
        username, password = username or address.username, password or address.password
        # A password in the environment may belong to another broker: it counts only with a user name.
        if _password_source() is ParameterSource.ENVIRONMENT and not (ask_password or username):
            password = None
        if password and not username:
            raise click.UsageError("a password needs a user name: --username")
        broker = Broker(
            url=address.url,
            topic=address.topic,
            client_id=client_id,
            username=username,
            password=password,
            keepalive=keepalive,
            version="3.1" if protocol_version.endswith("31") else "3.1.1",
            tls=_tls(cafile, cert, key, insecure=insecure) if uses_tls else None,
            has_client_certificate=bool(cert),
            will=_will(will_topic, will_payload, will_qos),
        )
        command(*arguments, broker=broker, **others)

    for option in reversed(_OPTIONS):
        with_broker = option(with_broker)
    return with_broker


class _Address(NamedTuple):
    """The parts of a URL."""

    url: str | None
    username: str | None = None
    password: str | None = None
    topic: str | None = None


def _read_url(text: str, *, uses_tls: bool) -> _Address:
    # All that follows the broker is the topic: the # of a filter is not a fragment.
    scheme, _, rest = text.partition("://")
    authority, _, topic = rest.partition("/")
    try:
        parts = urlsplit(f"//{authority}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if scheme.lower() not in ("mqtt", "mqtts", "tcp", "ssl") or not host or parts.netloc != authority:
        # The URL may hold a password: the message does not repeat it.
        raise click.UsageError(
            "--url must be mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], "
            "and / # ? @ in a password %2F %23 %3F %40"
        )
    return _Address(
        url=_url(host, port, uses_tls=uses_tls or scheme.lower() in ("mqtts", "ssl")),
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        topic=unquote(topic) or None,
    )


def _url(host: str | None, port: int | None, *, uses_tls: bool) -> str | None:
    if host is None:
        if port is not None:
            raise click.UsageError("--port needs a --host")
        return None
    if host.count(":") == 1:
        raise click.UsageError(f"--host {host}: the port goes to --port")
    name = f"[{host}]" if ":" in host else host
    return f"{'mqtts' if uses_tls else 'mqtt'}://{name}" + (f":{port}" if port else "")


def _ask_password() -> str:
    password = ask_secret("Password")
    if not password:
        raise click.UsageError("--ask-password: standard input holds no password, and is no terminal")
    return password


def _password_source() -> ParameterSource | None:
    return click.get_current_context().get_parameter_source("password")


def _tls(cafile: str | None, cert: str | None, key: str | None, *, insecure: bool) -> Tls | None:
    if insecure:
        if cafile or cert or key:
            raise click.UsageError("--insecure turns verification off: leave --cafile, --cert and --key out")
        return Tls(verify="none")
    if not cafile:
        raise click.UsageError("TLS needs --cafile to verify the broker, or --insecure to verify nothing")
    if bool(cert) != bool(key):
        raise click.UsageError("--cert and --key go together")
    verify: Literal["mutual", "server"] = "mutual" if cert else "server"
    return Tls(verify=verify, ca=_file(cafile), cert=_file(cert), key=_file(key))


def _file(name: str | None) -> str | Path | None:
    if name is None:
        return None
    if name.startswith(MODULE_FILE):
        return name.removeprefix(MODULE_FILE)
    if not Path(name).is_file():
        raise click.UsageError(
            f"no file {name}; for a file in the module's certificate store write {MODULE_FILE}NAME"
        )
    return Path(name)


def _will(topic: str | None, payload: str | None, qos: int) -> Will | None:
    if topic is None:
        if payload is not None:
            raise click.UsageError("--will-payload needs a --will-topic")
        return None
    if not payload:
        raise click.UsageError("--will-topic needs a --will-payload of 1-1024 bytes")
    return Will(topic, payload, cast(QoS, qos))
