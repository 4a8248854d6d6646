"""Commands of the radio network: CSQ, CESQ, CPSI, CREG, CGREG, CEREG, COPS, CNMP, CNSMOD."""

from ..answer import Answer
from ..command_line import CommandLine, Form
from ..equipment_errors import CommandFailedError, EquipmentError
from ..module import Module
from ..radio_network import NO_SERVICE, operator_name, operator_number
from .registry import command, test_form

_MANUAL, _DEREGISTER, _FORMAT_ONLY, _MANUAL_OR_AUTOMATIC = range(1, 5)
_NUMBER_FORMAT = 2
_MODES = (2, 13, 14, 38)

test_form("CSQ", "(0-31,99),(0-7,99)")
test_form("CESQ", "(0-63,99),(0-7,99),(0-96,255),(0-34,255),(0-34,255),(0-97,255)")
test_form("CPSI", "(0-255)")
test_form("CREG", "(0-2)")
test_form("CGREG", "(0-2)")
test_form("CEREG", "(0-2)")
test_form("CNMP", "(2,13,14,38)")
test_form("CNSMOD", "(0-1)")


@command("CSQ", Form.EXECUTE)
def _signal_quality(module: Module, _line: CommandLine, answer: Answer) -> None:
    rssi, bit_error_rate = module.network.signal if module.network.is_heard else (99, 99)
    answer.information(f"+CSQ: {rssi},{bit_error_rate}")
    answer.ok()


@command("CESQ", Form.EXECUTE)
def _extended_signal_quality(module: Module, _line: CommandLine, answer: Answer) -> None:
    quality, power = module.network.extended_signal if module.network.is_heard else (255, 255)
    answer.information(f"+CESQ: 99,99,255,255,{quality},{power}")
    answer.ok()


@command("CPSI", Form.READ)
def _cell(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+CPSI: {module.cell if module.is_registered else NO_SERVICE}")
    answer.ok()


@command("CREG", Form.READ)
@command("CGREG", Form.READ)
@command("CEREG", Form.READ)
def _registration(module: Module, line: CommandLine, answer: Answer) -> None:
    report = module.network.reports.get(line.name, 0)
    answer.information(f"+{line.name}: {report},{module.registration_text(line.name)}")
    answer.ok()


@command("CREG", Form.WRITE)
@command("CGREG", Form.WRITE)
@command("CEREG", Form.WRITE)
def _report_registration(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    module.report_registration(line.name, line.number(0, 0, 2))
    answer.ok()


@command("COPS", Form.READ)
def _operator(module: Module, _line: CommandLine, answer: Answer) -> None:
    module.sim.require_ready()
    network = module.network
    mode = 0 if network.selection is None else _MANUAL
    if not module.is_registered or network.technology is None:
        answer.information(f"+COPS: {mode}")
    else:
        shown = _shown_operator(module)
        answer.information(f'+COPS: {mode},{network.operator_format},"{shown}",{network.technology.access}')
    answer.ok()


@command("COPS", Form.TEST)
def _operators(module: Module, _line: CommandLine, answer: Answer) -> None:
    module.sim.require_ready()
    number = operator_number(module.cell)
    name = operator_name(number)
    found = f'(2,"{name}","{name}","{number}",7)' if module.network.is_heard else ""
    answer.information(f"+COPS: {found},,(0-4),(0-2)")
    answer.ok()


@command("COPS", Form.WRITE)
def _select_operator(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 4)
    mode = line.number(0, 0, 4)
    form = line.number(1, 0, 2, default=module.network.operator_format)
    module.sim.require_ready()
    if mode in (_MANUAL, _MANUAL_OR_AUTOMATIC):
        number = operator_number(module.cell)
        wanted = number if form == _NUMBER_FORMAT else operator_name(number)
        if line.string(2) != wanted and mode == _MANUAL:
            raise CommandFailedError(EquipmentError.NO_NETWORK_SERVICE)
    module.network.operator_format = form
    answer.ok()
    if mode == _DEREGISTER:
        module.select_operator(registers=False)
    elif mode != _FORMAT_ONLY:
        module.select_operator(registers=True)


@command("CNMP", Form.READ)
def _mode(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+CNMP: {module.network.mode}")
    answer.ok()


@command("CNMP", Form.WRITE)
def _set_mode(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    mode = line.number(0, 0, 99)
    if mode not in _MODES:
        raise CommandFailedError(EquipmentError.INCORRECT_PARAMETERS)
    answer.ok()
    module.select_mode(mode)


@command("CNSMOD", Form.READ)
def _system_mode(module: Module, _line: CommandLine, answer: Answer) -> None:
    technology = module.network.technology
    shown = technology.system_mode if module.is_registered and technology is not None else 0
    answer.information(f"+CNSMOD: 0,{shown}")
    answer.ok()


def _shown_operator(module: Module) -> str:
    number = operator_number(module.cell)
    return number if module.network.operator_format == _NUMBER_FORMAT else operator_name(number)
