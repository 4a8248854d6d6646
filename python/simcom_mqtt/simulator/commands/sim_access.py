"""Access to the SIM card: CPIN, CLCK, CPWD."""

from ..answer import Answer
from ..command_line import BadParameterError, CommandLine, Form
from ..module import Module
from ..sim_card import is_pin
from .registry import command, test_form

test_form("CPIN")
test_form("CLCK", '("SC")')
test_form("CPWD", '("SC",8)')


@command("CPIN", Form.READ)
def _show_state(module: Module, _line: CommandLine, answer: Answer) -> None:
    module.sim.require_card()
    answer.information(f"+CPIN: {module.sim.state}")
    answer.ok()


@command("CPIN", Form.WRITE)
def _enter_pin(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 2)
    if len(line.parameters) == 1:
        module.sim.enter_pin(_digits(line, 0))
    else:
        module.sim.unblock(_digits(line, 0), _digits(line, 1))
    answer.ok()
    module.sim_unlocked()


@command("CLCK", Form.WRITE)
def _lock(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(2, 4)
    _check_facility(line)
    mode = line.number(1, 0, 2)
    if mode == 2:
        module.sim.require_card()
        answer.information(f"+CLCK: {int(module.sim.is_pin_enabled)}")
    else:
        module.sim.enable_pin(bool(mode), _digits(line, 2))
    answer.ok()


@command("CPWD", Form.WRITE)
def _change_pin(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(3, 3)
    _check_facility(line)
    module.sim.change_pin(_digits(line, 1), _digits(line, 2))
    answer.ok()


def _check_facility(line: CommandLine) -> None:
    if line.text(0).upper() != b"SC":
        raise BadParameterError("only the lock of the SIM card is simulated")


def _digits(line: CommandLine, position: int) -> str:
    digits = line.string(position)
    if not is_pin(digits):
        raise BadParameterError("a PIN or PUK has 4 to 8 digits")
    return digits
