"""Commands of SIM and network: CSQ, CPSI, CGACT, CEREG, CGREG, CPIN, CESQ."""

from ..answer import Answer
from ..command_line import CommandLine, Form
from ..module import Module
from .registry import command, test_form

test_form("CSQ", "(0-31,99),(0-7,99)")
test_form("CESQ", "(0-63,99),(0-7,99),(0-96,255),(0-34,255),(0-34,255),(0-97,255)")
test_form("CPSI", "(0-255)")
test_form("CEREG", "(0-2)")
test_form("CGREG", "(0-2)")
test_form("CGACT", "(0,1)")
test_form("CPIN")


@command("CSQ", Form.EXECUTE)
def _signal_quality(module: Module, _line: CommandLine, answer: Answer) -> None:
    rssi, bit_error_rate = module.network.signal if module.network.in_service else (99, 99)
    answer.information(f"+CSQ: {rssi},{bit_error_rate}")
    answer.ok()


@command("CESQ", Form.EXECUTE)
def _extended_signal_quality(module: Module, _line: CommandLine, answer: Answer) -> None:
    shown = "99,99,255,255,13,37" if module.network.in_service else "99,99,255,255,255,255"
    answer.information(f"+CESQ: {shown}")
    answer.ok()


@command("CPSI", Form.READ)
def _cell(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+CPSI: {module.cell if module.network.in_service else 'NO SERVICE,Online'}")
    answer.ok()


@command("CGACT", Form.READ)
def _packet_contexts(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+CGACT: 1,{int(module.network.in_service)}")
    answer.ok()


@command("CEREG", Form.READ)
@command("CGREG", Form.READ)
def _registration(module: Module, line: CommandLine, answer: Answer) -> None:
    network = module.network
    answer.information(f"+{line.name}: {network.registration_report},{1 if network.in_service else 2}")
    answer.ok()


@command("CEREG", Form.WRITE)
@command("CGREG", Form.WRITE)
def _report_registration(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    module.network.registration_report = line.number(0, 0, 2)
    answer.ok()


@command("CPIN", Form.READ)
def _sim_card(_module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information("+CPIN: READY")
    answer.ok()
