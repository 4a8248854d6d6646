"""The command interpreter: finds the handler of a command line and sends its answer."""

from .answer import Answer, Refused
from .command_line import BadParameterError, CommandLine, Form, parse_command_line
from .commands.registry import Handler, find, key_of
from .event_loop import logger
from .masking import masked
from .module import CLIENTS, Module

_INCORRECT_PARAMETERS = (50, "Incorrect parameters")


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
        handler = None if line is None else find(line, module.profile)
        name, key = ("", "?") if line is None else (line.name, key_of(line))
        answer = Answer(module.loop, module.terminal, module.profile, module.faults, name, key)
        answer.echo(unechoed)
        if line is None or handler is None:
            logger.warning("unknown AT command: %s", masked(text))
            answer.error()
        elif not self._is_made_to_fail(line, answer):
            self._carry_out(handler, line, answer)

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
            module.refuse_with(answer, code, str(code))
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
        except BadParameterError as error:
            logger.debug("%s: %s", line.name, error)
            if line.name.startswith("CMQTT"):
                answer.error()
            else:
                module.refuse_with(answer, *_INCORRECT_PARAMETERS)


def _needs_service(line: CommandLine) -> bool:
    return line.name.startswith("CMQTT") and line.name != "CMQTTSTART" and line.form is not Form.TEST


def _index_in(line: CommandLine) -> int | None:
    try:
        return line.number(0, 0, CLIENTS - 1)
    except BadParameterError:
        return None
