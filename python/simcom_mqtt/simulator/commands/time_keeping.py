"""Commands of the clock: CCLK, CTZU, CTZR, CNTP."""

from ..answer import Answer
from ..command_line import BadParameterError, CommandLine, Form
from ..module import Module
from .registry import command, test_form

_ZONES = (-47, 48)
_NETWORK_ERROR = 4

test_form("CCLK")
test_form("CTZU", "(0-1)")
test_form("CTZR", "(0-1)")
test_form("CNTP", "(0-255),(-47-48)")


@command("CCLK", Form.READ)
def _show_clock(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f'+CCLK: "{module.clock.text()}"')
    answer.ok()


@command("CCLK", Form.WRITE)
def _set_clock(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    try:
        module.clock.set(line.text(0).decode("ascii"))
    except ValueError as error:
        raise BadParameterError("not a time") from error
    answer.ok()


@command("CTZU", Form.WRITE)
def _follow_network(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    module.clock.follows_network = bool(line.number(0, 0, 1))
    answer.ok()
    module.receive_network_time()


@command("CTZU", Form.READ)
def _show_follows_network(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+CTZU: {int(module.clock.follows_network)}")
    answer.ok()


@command("CTZR", Form.WRITE)
def _report_zone(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    module.clock.reports_zone = bool(line.number(0, 0, 1))
    answer.ok()


@command("CTZR", Form.READ)
def _show_reports_zone(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+CTZR: {int(module.clock.reports_zone)}")
    answer.ok()


@command("CNTP", Form.WRITE)
def _set_time_server(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 2)
    server = line.string(0)
    if not 1 <= len(server) <= 255:
        raise BadParameterError("a time server has 1 to 255 characters")
    module.clock.time_server = server
    module.clock.time_server_zone = line.number(1, *_ZONES, default=0)
    answer.ok()


@command("CNTP", Form.READ)
def _show_time_server(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f'+CNTP: "{module.clock.time_server}",{module.clock.time_server_zone}')
    answer.ok()


@command("CNTP", Form.EXECUTE)
def _synchronize(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.ok()
    if module.in_service:
        module.clock.synchronize(module.clock.time_server_zone)
    answer.result_line(f"+CNTP: {0 if module.in_service else _NETWORK_ERROR}")
