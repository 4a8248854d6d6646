"""Commands of packet data: CGDCONT, CGAUTH, CGACT, CGATT, CGPADDR, CGSOCKCONT, NETOPEN, NETCLOSE, IPADDR."""

from ..answer import Answer
from ..command_line import BadParameterError, CommandLine, Form
from ..equipment_errors import CommandFailedError, EquipmentError
from ..module import Module
from ..packet_data import CONTEXTS, DEFAULT_CONTEXT, DataContext
from .registry import command, test_form

_TYPES = ("IP", "IPV6", "IPV4V6")

test_form(
    "CGDCONT",
    *(f'({CONTEXTS[0]}-{CONTEXTS[-1]}),"{kind}",,,(0-2),(0-4),(0-1),(0-1)' for kind in _TYPES),
)
test_form("CGAUTH", "(1-24),(0-3),127,127")
test_form("CGACT", "(0,1)")
test_form("CGATT", "(0,1)")
test_form("CGPADDR", "(1,2,3)")
test_form("NETOPEN")
test_form("NETCLOSE")
test_form("IPADDR")


@command("CGDCONT", Form.READ)
def _show_contexts(module: Module, _line: CommandLine, answer: Answer) -> None:
    for number, context in sorted(module.data.contexts.items()):
        end = "0,0,0,1" if context.is_emergency else "0,0,0,0"
        answer.information(f'+CGDCONT: {number},"{context.type}","{context.apn}","0.0.0.0",{end}')
    answer.ok()


@command("CGDCONT", Form.WRITE)
@command("CGSOCKCONT", Form.WRITE)
def _define_context(module: Module, line: CommandLine, answer: Answer) -> None:
    number = _number(line)
    if len(line.parameters) == 1:
        module.data.contexts.pop(number, None)
    else:
        kind = line.string(1).upper()
        if kind not in _TYPES:
            raise BadParameterError(f"unknown type of context {kind!r}")
        context = module.data.contexts.setdefault(number, DataContext())
        context.type, context.apn = kind, line.string(2, default="")
    answer.ok()
    module.update_network()


@command("CGAUTH", Form.READ)
def _show_authentication(module: Module, _line: CommandLine, answer: Answer) -> None:
    for number, context in sorted(module.data.contexts.items()):
        if context.authentication:
            answer.information(
                f'+CGAUTH: {number},{context.authentication},"{context.user}","{context.password}"'
            )
    answer.ok()


@command("CGAUTH", Form.WRITE)
def _set_authentication(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 4)
    context = module.data.contexts.get(_number(line))
    if context is None:
        raise CommandFailedError(EquipmentError.OPERATION_NOT_ALLOWED)
    context.authentication = line.number(1, 0, 3, default=0)
    context.user, context.password = line.string(2, default=""), line.string(3, default="")
    answer.ok()


@command("CGACT", Form.READ)
def _show_active_contexts(module: Module, _line: CommandLine, answer: Answer) -> None:
    for number, context in sorted(module.data.contexts.items()):
        answer.information(f"+CGACT: {number},{int(context.is_active)}")
    answer.ok()


@command("CGACT", Form.WRITE)
def _activate(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 2)
    activates = bool(line.number(0, 0, 1))
    number = line.number(1, CONTEXTS[0], CONTEXTS[-1], default=DEFAULT_CONTEXT)
    module.sim.require_ready()
    if not activates:
        module.data.deactivate(number)
    elif not module.is_registered:
        raise CommandFailedError(EquipmentError.NO_NETWORK_SERVICE)
    else:
        module.data.is_attached = True
        module.data.activate(number)
    answer.ok()
    module.update_network()


@command("CGATT", Form.READ)
def _show_attachment(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+CGATT: {int(module.data.is_attached and module.is_registered)}")
    answer.ok()


@command("CGATT", Form.WRITE)
def _attach(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    attaches = bool(line.number(0, 0, 1))
    module.sim.require_ready()
    if attaches and not module.is_registered:
        raise CommandFailedError(EquipmentError.NO_NETWORK_SERVICE)
    module.data.is_attached = attaches
    answer.ok()
    module.update_network()


@command("CGPADDR", Form.EXECUTE, Form.WRITE, Form.READ)
def _show_addresses(module: Module, line: CommandLine, answer: Answer) -> None:
    numbers = [_number(line)] if line.form is Form.WRITE else sorted(module.data.contexts)
    for number in numbers:
        address = module.data.address(number)
        if address is not None:
            answer.information(f"+CGPADDR: {number},{address}")
    answer.ok()


@command("NETOPEN", Form.EXECUTE)
def _open_sockets(module: Module, _line: CommandLine, answer: Answer) -> None:
    if module.data.sockets_are_open:
        answer.information("+IP ERROR: Network is already opened")
        answer.error()
        return
    module.data.sockets_are_open = module.in_service
    answer.ok()
    answer.result_line(f"+NETOPEN: {0 if module.in_service else 1}")


@command("NETOPEN", Form.READ)
def _show_sockets(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+NETOPEN: {int(module.data.sockets_are_open)}")
    answer.ok()


@command("NETCLOSE", Form.EXECUTE)
def _close_sockets(module: Module, _line: CommandLine, answer: Answer) -> None:
    module.data.sockets_are_open = False
    answer.ok()
    answer.result_line("+NETCLOSE: 0")


@command("IPADDR", Form.EXECUTE)
def _show_address(module: Module, _line: CommandLine, answer: Answer) -> None:
    address = module.data.address(DEFAULT_CONTEXT)
    if not module.data.sockets_are_open or address is None:
        answer.information("+IP ERROR: Network not opened")
        answer.error()
        return
    answer.information(f"+IPADDR: {address}")
    answer.ok()


def _number(line: CommandLine) -> int:
    return line.number(0, CONTEXTS[0], CONTEXTS[-1])
