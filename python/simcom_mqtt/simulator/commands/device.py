"""Commands of the device: error format, baud rate, functionality, restart, simple settings."""

from ..answer import Answer
from ..command_line import BadParameterError, CommandLine, Form
from ..module import Module
from ..simple_settings import SETTINGS
from .registry import command, test_form

_NEEDS_SIM = frozenset({"CNMI"})

test_form("CMEE", "(0-2)")
test_form("CFUN", "(0,1,4-7),(0-1)")
test_form("CBC")
test_form("CRESET")


@command("CMEE", Form.WRITE)
def _set_error_format(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    module.error_format = line.number(0, 0, 2)
    answer.ok()


@command("CMEE", Form.READ)
def _show_error_format(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+CMEE: {module.error_format}")
    answer.ok()


@command("IPR", Form.WRITE)
@command("IPREX", Form.WRITE)
def _set_baud_rate(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    rate = line.number(0, 0, max(module.profile.baud_rates))
    if rate not in module.profile.baud_rates:
        raise BadParameterError(f"the module has no baud rate {rate}")
    answer.ok()
    module.set_baud_rate(rate, is_permanent=line.name == "IPREX")


@command("IPR", Form.READ)
@command("IPREX", Form.READ)
def _show_baud_rate(module: Module, line: CommandLine, answer: Answer) -> None:
    answer.information(f"+{line.name}: {module.baud_rate}")
    answer.ok()


@command("IPR", Form.TEST)
@command("IPREX", Form.TEST)
def _show_baud_rates(module: Module, line: CommandLine, answer: Answer) -> None:
    answer.information(f"+{line.name}: ({','.join(str(rate) for rate in module.profile.baud_rates)})")
    answer.ok()


@command("CFUN", Form.READ)
def _show_functionality(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+CFUN: {module.functionality}")
    answer.ok()


@command("CFUN", Form.WRITE)
def _set_functionality(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 2)
    functionality = line.number(0, 0, 7)
    restarts = bool(line.number(1, 0, 1, default=0)) or functionality == 6
    if functionality in (2, 3):
        raise BadParameterError(f"no functionality {functionality}")
    answer.ok()
    if restarts:
        module.restart()
        return
    module.set_functionality(functionality)


@command("CRESET", Form.EXECUTE)
def _restart(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.ok()
    module.restart()


@command("CBC", Form.EXECUTE)
def _supply_voltage(_module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information("+CBC: 3.812V")
    answer.ok()


def _change_setting(module: Module, line: CommandLine, answer: Answer) -> None:
    if line.name in _NEEDS_SIM:
        module.sim.require_ready()
    module.settings.change(line)
    answer.ok()


def _show_setting(module: Module, line: CommandLine, answer: Answer) -> None:
    answer.information(f"+{line.name}: {module.settings.text(line.name)}")
    answer.ok()


for _name, _fields in SETTINGS.items():
    command(_name, Form.WRITE)(_change_setting)
    command(_name, Form.READ)(_show_setting)
    test_form(_name, ",".join(field.ranges for field in _fields))
