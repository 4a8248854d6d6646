"""Commands of the device: AT, ATE, ATI, identity, clock, error format, baud rate, CFUN, CRESET."""

from ..answer import Answer
from ..command_line import BadParameterError, CommandLine, Form
from ..module import Module
from .registry import command, test_form

test_form("CGMI")
test_form("CGMM")
test_form("CGMR")
test_form("CGSN")
test_form("CCLK")
test_form("CMEE", "(0-2)")
test_form("CFUN", "(0,1,4-7),(0-1)")


@command("", Form.EXECUTE)
def _attention(_module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.ok()


@command("E0", Form.EXECUTE)
@command("E", Form.EXECUTE)
@command("E1", Form.EXECUTE)
def _echo(module: Module, line: CommandLine, answer: Answer) -> None:
    module.terminal.echo = line.name == "E1"
    answer.ok()


@command("I", Form.EXECUTE)
@command("SIMCOMATI", Form.EXECUTE)
def _identification(module: Module, line: CommandLine, answer: Answer) -> None:
    profile = module.profile
    answer.information(f"Manufacturer: {profile.manufacturer}")
    answer.information(f"Model: {profile.model}")
    answer.information(f"Revision: {profile.revision}")
    if line.name == "SIMCOMATI":
        answer.information(profile.second_revision)
    answer.information(f"IMEI: {module.identity.imei}")
    answer.ok()


@command("CGMI", Form.EXECUTE)
def _manufacturer(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(module.profile.manufacturer)
    answer.ok()


@command("CGMM", Form.EXECUTE)
def _model(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(module.profile.model)
    answer.ok()


@command("CGMR", Form.EXECUTE)
def _revision(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+CGMR: {module.profile.revision}")
    answer.ok()


@command("CGSN", Form.EXECUTE)
def _serial_number(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(module.identity.imei)
    answer.ok()


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
def _set_baud_rate(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    rate = line.number(0, 0, max(module.profile.baud_rates))
    if rate not in module.profile.baud_rates:
        raise BadParameterError(f"no baud rate of this module: {rate}")
    answer.ok()
    module.set_baud_rate(rate)


@command("IPR", Form.READ)
def _show_baud_rate(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+IPR: {module.baud_rate}")
    answer.ok()


@command("IPR", Form.TEST)
def _show_baud_rates(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+IPR: ({','.join(str(rate) for rate in module.profile.baud_rates)})")
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
