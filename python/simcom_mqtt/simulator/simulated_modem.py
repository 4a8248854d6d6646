"""`SimulatedModem`, the public interface of the simulated module."""

import warnings
from collections.abc import Callable, Iterable
from math import inf
from os import PathLike
from types import TracebackType
from typing import Literal, Self

from .commands.catalogue import command_key
from .connection_attempt import Destination
from .event_loop import EventLoop
from .exit_hook import close_at_exit
from .faults import DAMAGES, GAPS, STAGES, BlockDamage, Damage, Gap, Stage
from .identity import make_identity
from .interpreter import Interpreter
from .mendable_faults import MENDED_BY_HAND, Fault, apply_faults, check_faults, faulty_profile, mend_fault
from .module import CLIENTS, Module
from .profiles import Profile, find_profile
from .road import read_road
from .taught_answers import TaughtAnswer
from .transport import open_line
from .trip import Trip

DEFAULT_BAUD_RATE = 115_200
STRONGEST_RSSI = 31
WORST_BIT_ERROR_RATE = 7
UNKNOWN_SIGNAL = 99


class SimulatedModem:
    """A simulated SIM7672X on a pseudo-terminal or a TCP port, with a real MQTT client for a real broker.

    Lines, echo, prompts and result codes follow the application note and logs of real modules. Events of
    broker and network become the module's result codes.

    :param broker: `"host:port"` to connect to instead of the host in CONNECT (a TLS certificate must still
        match the host in CONNECT); None: connect to that host.
    :param transport: `"pty"` for a pseudo-terminal, `"tcp"` for a raw TCP port on 127.0.0.1; None: a
        pseudo-terminal if the system has any, else TCP.
    :param profile: the firmware: `"sim767x"`, `"a76xx"` or `"sim7600"`, or a `Profile` of your own.
    :param baudrate: paces both directions like a UART of that speed, in bits per second; None: no pacing.
    :param seed: sends output in pieces of random length, down to single bytes; None: whole.
    :param imei: 15 digits; None: a random one.
    :param tcp_port: the port for `"tcp"`; 0: any free one.
    :param road: a CSV file with positions, levels and cells, which the module follows from the start on.
    :param road_speed: how many times faster than the times of the road; 0: only `drive` moves the module.
    :param faults: states that a person can mend, such as `["apn"]`; the module answers like a real one.
    :raises ValueError: an argument is invalid.
    """

    def __init__(
        self,
        *,
        broker: str | None = None,
        transport: Literal["pty", "tcp"] | None = None,
        profile: str | Profile = "sim767x",
        baudrate: int | None = None,
        seed: int | None = None,
        imei: str | None = None,
        tcp_port: int = 0,
        faults: Iterable[Fault] = (),
        road: str | PathLike[str] | None = None,
        road_speed: float = 1.0,
    ) -> None:
        self._is_closed = True
        destination = None if broker is None else _destination(broker)
        identity = make_identity(imei)
        self._faults = check_faults(faults)
        firmware = faulty_profile(find_profile(profile), self._faults)
        points = None if road is None else read_road(road)
        if not 0 <= road_speed < inf:
            raise ValueError(f"road_speed must be 0 or more, not {road_speed}")
        if transport not in ("pty", "tcp", None):
            raise ValueError(f'transport must be "pty", "tcp" or None, not {transport!r}')
        if baudrate is not None and baudrate <= 0:
            raise ValueError(f"baudrate must be positive or None, not {baudrate}")
        self._loop = EventLoop("simulated-modem")
        try:
            self._line = open_line(self._loop, transport, baudrate, seed, tcp_port)
        except OSError:
            self._loop.stop()
            raise
        self._module = Module(
            self._loop, self._line, firmware, identity, destination, baudrate or DEFAULT_BAUD_RATE
        )
        Interpreter(self._module)
        self._trip = None if points is None else Trip(self._loop, self._module, points, road_speed)
        self._loop.call(self._begin)
        self._is_closed = False
        close_at_exit(self)

    @property
    def port(self) -> str:
        """The port to pass to `SimcomMqtt`; `unplug` and `plug` do not change it."""
        return self._line.port

    @property
    def received(self) -> list[str]:
        """All command lines received since the start or the last `reset`, with passwords."""
        return list(self._module.received)

    def reset(self) -> None:
        """Return to the state of a new module, with the faults that were passed to the constructor.

        No service, no clients, no certificates, echo on, in service, the profile's cell, no fault armed,
        an empty `received`.
        """
        self._loop.call(self._reset)

    def inject(self, raw: bytes) -> None:
        """Send bytes to the host now."""
        self._loop.call(lambda: self._module.terminal.write(raw))

    def inject_at(self, gap: Gap, raw: bytes) -> None:
        """Send bytes at the next occurrence of a gap; repeated calls add up.

        :param gap: `"before_echo"`, `"echo_ok"` (between echo and information lines or final result code),
            `"ok_urc"` (between final result code and result line, whichever comes first), `"before_prompt"`,
            `"prompt_data"` (right after the prompt), `"data_ok"`, or `"between_parts"` of a message block.
        """
        _check("gap", gap, GAPS)
        self._loop.call(lambda: self._module.faults.insert(gap, raw))

    def urc(self, line: str) -> None:
        """Send CR LF line CR LF now."""
        self._loop.call(lambda: self._module.urc(line))

    def drop_connection(self, index: int, cause: int = 1) -> None:
        """Break the socket of a client: `+CMQTTCONNLOST`, and the broker sends the will.

        Does nothing if the client is not connected.

        :param cause: 1 closed passively, 2 reset, 3 network closed.
        """
        if not 0 <= index < CLIENTS:
            raise ValueError(f"index must be 0 or 1, not {index}")
        self._loop.call(lambda: self._module.clients[index].drop_connection(cause))

    def lose_network(self) -> None:
        """Lose the network: `+CMQTTCONNLOST: <index>,3` for each session, `+CMQTTNONET`; START fails."""
        self._loop.call(lambda: self._module.set_coverage(False))

    def restore_network(self) -> None:
        """Restore the network."""
        self._loop.call(lambda: self._module.set_coverage(True))

    @property
    def signal(self) -> tuple[int, int]:
        """The values of `AT+CSQ` in service: RSSI (0–31 or 99), bit error rate (0–7 or 99). Can be set."""
        return self._module.network.signal

    @signal.setter
    def signal(self, rssi_and_bit_error_rate: tuple[int, int]) -> None:
        rssi, bit_error_rate = rssi_and_bit_error_rate
        if rssi != UNKNOWN_SIGNAL and not 0 <= rssi <= STRONGEST_RSSI:
            raise ValueError(f"rssi must be 0 to {STRONGEST_RSSI}, or {UNKNOWN_SIGNAL}, not {rssi}")
        if bit_error_rate != UNKNOWN_SIGNAL and not 0 <= bit_error_rate <= WORST_BIT_ERROR_RATE:
            raise ValueError(
                f"error rate must be 0 to {WORST_BIT_ERROR_RATE} or {UNKNOWN_SIGNAL}, not {bit_error_rate}"
            )

        def change() -> None:
            self._module.network.signal = (rssi, bit_error_rate)

        self._loop.call(change)

    @property
    def cell(self) -> str:
        """The parameters of `+CPSI` in service, such as `"LTE,Online,460-11,0x9A5F,…"`. Can be set."""
        return self._module.cell

    @cell.setter
    def cell(self, parameters: str) -> None:
        def change() -> None:
            self._module.network.cell = parameters

        self._loop.call(change)

    @property
    def position(self) -> tuple[float, float, float] | None:
        """Latitude, longitude and altitude that the GNSS receiver finds; None: no fix. Can be set."""
        return self._module.receiver.position

    @position.setter
    def position(self, position: tuple[float, float, float] | None) -> None:
        if position is not None:
            latitude, longitude, altitude = map(float, position)
            if not -90 <= latitude <= 90 or not -180 <= longitude <= 180:
                raise ValueError(f"position must be latitude, longitude and altitude, not {position!r}")
            position = latitude, longitude, altitude

        def change() -> None:
            self._module.receiver.position = position

        self._loop.call(change)

    @property
    def road_time(self) -> float:
        """The time since the start of the road, in seconds; 0 without a road."""
        trip = self._trip
        return 0.0 if trip is None else self._loop.call(trip.elapsed)

    def drive(self, seconds: float) -> None:
        """Move on along the road by some seconds, at once. The module passes all points in between.

        :raises ValueError: the module has no road, or the time is negative.
        """
        trip = self._trip
        if trip is None:
            raise ValueError("the module has no road: pass road= to SimulatedModem")
        if not 0 <= seconds < inf:
            raise ValueError(f"seconds must be 0 or more, not {seconds}")
        self._loop.call(lambda: trip.drive(seconds))

    def answer(
        self,
        command: str,
        lines: Iterable[str] | Callable[[str], Iterable[str]],
        *,
        final: str = "OK",
    ) -> None:
        """Teach the module the answer to a command, until `reset`; replaces the answer of a known command.

        :param command: `"AT+XYZ"` in all forms, or one form, such as `"AT+XYZ?"` or `"AT+XYZ="`.
        :param lines: the information lines, or a function that returns them for the command line received.
        :param final: the final result code, such as `"ERROR"` or `"+CME ERROR: 10"`; `""`: none.
        :raises ValueError: the text is no AT command.
        """
        taught = TaughtAnswer(lines if callable(lines) else _as_list(lines), final)
        self._loop.call(lambda: self._module.taught.set(command, taught))

    def mend(self, fault: Fault) -> None:
        """Mend a fault that no command mends: insert the SIM card, fit the antenna, improve the signal.

        :raises ValueError: the fault is unknown, or a command mends it.
        """
        check_faults([fault])
        if fault not in MENDED_BY_HAND:
            raise ValueError(f"mend can do {', '.join(MENDED_BY_HAND)}; a command mends {fault}")
        self._loop.call(lambda: mend_fault(self._module, fault))

    def reboot(self) -> None:
        """Restart as after a loss of power: output is cut short, then silence, then the boot URCs."""

        def cut_short() -> None:
            self._line.discard()
            self._module.boot()

        self._loop.call(cut_short)

    def unplug(self) -> None:
        """Remove the port; the module keeps running."""
        self._loop.call(self._line.unplug)

    def plug(self) -> None:
        """Restore the port."""
        self._loop.call(self._line.plug)

    def fail_next(self, command: str, code: int | None = None) -> None:
        """Make the next such command fail with a result code, in this firmware's order and without effect.

        :param command: such as `"CMQTTPUB"`, in its execute or write form.
        :param code: a result code of chapter 4.1 (other commands: a `+CME ERROR`); None: a bare `ERROR`.
        """
        key = command_key(command)
        self._loop.call(lambda: self._module.faults.fail(key, code))

    def delay_next(self, command: str, seconds: float, stage: Stage = "all") -> None:
        """Delay a part of the next such answer, and the parts after it.

        :param command: such as `"CMQTTPUB"` for the execute and write form, `"CMQTTPUB?"` or `"CMQTTPUB=?"`.
        :param stage: `"echo"`, `"prompt"`, `"ok"` (information lines and final result code), `"result"`, or
            `"all"`: the first part.
        """
        key = command_key(command)
        _check("stage", stage, STAGES)
        self._loop.call(lambda: self._module.faults.delay(key, stage, seconds))

    def mute_next(self, command: str, stage: Stage = "all") -> None:
        """Suppress a part of the next such answer; the command takes effect all the same."""
        key = command_key(command)
        _check("stage", stage, STAGES)
        self._loop.call(lambda: self._module.faults.mute(key, stage))

    def damage_next(self, kind: Damage, offset: int, count: int = 1) -> None:
        """Damage the next message block.

        :param kind: `"drop"` bytes, `"flip"` all their bits, or `"add"` as many `#`.
        :param offset: from the block's first byte, its CR; negative: from its end.
        """
        _check("kind", kind, DAMAGES)
        damage = BlockDamage(kind, offset, count)
        self._loop.call(lambda: self._module.faults.damage(damage))

    def clear_faults(self) -> None:
        """Disarm all faults."""
        self._loop.call(self._module.faults.clear)

    def close(self) -> None:
        """End the thread, and close port and sockets. Can be called again."""
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.call(self._end)
        self._loop.stop()

    def close_in_child(self) -> None:
        """Close the files in a forked child. The module runs on in the parent."""
        self._is_closed = True
        self._line.close_files()
        self._loop.close_in_child()

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

    def _reset(self) -> None:
        self._module.reset()
        self._start()

    def _begin(self) -> None:
        self._start()
        self._loop.before_each_wait(self._line.flush)
        self._loop.before_each_wait(self._module.throttle_brokers)
        self._line.begin(self._module.receive)

    def _start(self) -> None:
        apply_faults(self._module, self._faults)
        if self._trip is not None:
            self._trip.start()

    def _end(self) -> None:
        self._module.close()
        self._line.close()


def _as_list(lines: Iterable[str]) -> list[str]:
    if isinstance(lines, str):
        raise TypeError(f"lines must be a list of lines, not the text {lines!r}")
    return list(lines)


def _check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def _destination(broker: str) -> Destination:
    host, separator, port = broker.rpartition(":")
    if not separator or not host or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise ValueError(f'broker must be "host:port" with a port of 1 to 65535, not {broker!r}')
    host = host.removeprefix("[").removesuffix("]")
    return Destination(host, host, int(port))
