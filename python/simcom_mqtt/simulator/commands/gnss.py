"""Commands of the GNSS receiver: CGNSSPWR, CGPS, CGNSSINFO, CGPSINFO, CIPGSMLOC."""

from ..answer import Answer
from ..command_line import CommandLine, Form
from ..module import Module
from .registry import command, test_form

test_form("CGNSSPWR", "(0-1)")
test_form("CGPS", "(0-1)")
test_form("CGNSSINFO", "(0-255)")
test_form("CGPSINFO", "(0-255)")


@command("CGNSSPWR", Form.WRITE)
def _power(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 3)
    is_on = bool(line.number(0, 0, 1))
    answer.ok()
    module.set_receiver_power(is_on)


@command("CGNSSPWR", Form.READ)
@command("CGPS", Form.READ)
def _show_power(module: Module, line: CommandLine, answer: Answer) -> None:
    answer.information(f"+{line.name}: {int(module.receiver.is_on)}")
    answer.ok()


@command("CGPS", Form.WRITE)
def _power_of_siblings(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 2)
    module.receiver.is_on = bool(line.number(0, 0, 1))
    answer.ok()


@command("CGNSSINFO", Form.EXECUTE, Form.READ)
def _information(module: Module, _line: CommandLine, answer: Answer) -> None:
    in_degrees = module.profile.shows_position_in_degrees
    shown = module.receiver.information(in_degrees=in_degrees)
    answer.information(f"+CGNSSINFO: {shown}")
    answer.ok()


@command("CGPSINFO", Form.EXECUTE, Form.READ)
def _short_information(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+CGPSINFO: {module.receiver.short_information()}")
    answer.ok()


@command("CIPGSMLOC", Form.WRITE)
def _location_of_cell(_module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 2)
    line.number(0, 1, 2)
    answer.ok()
