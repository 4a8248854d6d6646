"""The command interpreter: finds the handler of a command line and sends its answer."""

from .answer import Answer, Refused
from .command_line import BadParameterError, CommandLine, Form, parse_command_line
from .commands.registry import Handler, find, key_of
from .equipment_errors import CommandFailedError, EquipmentError
from .event_loop import logger
from .masking import masked
from .module import CLIENTS, Module

BARE_ERROR, ERROR_NUMBER = 0, 1


class Interpreter:
    """Executes the command lines that the terminal of a module receives."""

    def __init__(self, module: Module) -> None:
        self._module = module
        module.terminal.on_command(self._execute)

    def _execute(self, raw: bytes, unechoed: bytes) -> None:
        module = self._module
        text = raw.decode("utf-8", "surrogateescape")
        module.received.append(text)
        line = parse_command_line(raw)
        handler = None if line is None else self._handler(line, text)
        name, key = ("", "?") if line is None else (line.name, key_of(line))
        answer = Answer(module.loop, module.terminal, module.profile, module.faults, name, key)
        answer.echo(unechoed)
        if line is None or handler is None:
            logger.warning("unknown AT command: %s", masked(text))
            answer.error()
        elif not self._is_made_to_fail(line, answer):
            self._carry_out(handler, line, answer)

    def _handler(self, line: CommandLine, text: str) -> Handler | None:
        """Return the handler of a command; an answer that `SimulatedModem.answer` has set comes first."""
        taught = self._module.taught.find(line)
        if taught is not None:
            return lambda _module, _line, answer: taught.send(answer, text)
        return find(line, self._module.profile)

    def _is_made_to_fail(self, line: CommandLine, answer: Answer) -> bool:
        module = self._module
        failure = module.faults.take_failure(key_of(line))
        if failure is None:
            return False
        code = failure[0]
        if code is None:
            answer.error()
        elif module.profile.order(line.name).has_result:
            answer.failure = code
            return False
        elif line.name.startswith("CMQTT"):
            answer.index = _index_in(line)
            answer.refuse(code)
        else:
            self._fail(answer, code, str(code))
        return True

    def _carry_out(self, handler: Handler, line: CommandLine, answer: Answer) -> None:
        module = self._module
        if not module.is_started and _needs_service(line):
            answer.error()
            return
        try:
            handler(module, line, answer)
        except Refused as refusal:
            answer.refuse(refusal.code)
        except CommandFailedError as failure:
            self._fail(answer, *failure.error.value)
        except BadParameterError as error:
            logger.debug("%s: %s", line.name, error)
            if line.name.startswith("CMQTT"):
                answer.error()
            else:
                self._fail(answer, *EquipmentError.INCORRECT_PARAMETERS.value)

    def _fail(self, answer: Answer, number: int, text: str) -> None:
        """Answer with an equipment error in the format of AT+CMEE."""
        if self._module.error_format == BARE_ERROR:
            answer.error()
        else:
            answer.final(f"+CME ERROR: {number if self._module.error_format == ERROR_NUMBER else text}")


def _needs_service(line: CommandLine) -> bool:
    return line.name.startswith("CMQTT") and line.name != "CMQTTSTART" and line.form is not Form.TEST


def _index_in(line: CommandLine) -> int | None:
    try:
        return line.number(0, 0, CLIENTS - 1)
    except BadParameterError:
        return None
