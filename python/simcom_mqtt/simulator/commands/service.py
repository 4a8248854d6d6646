"""The MQTT service and its clients: START, STOP, ACCQ, REL, SSLCFG, CFG."""

from ..answer import Answer, Refused
from ..client_settings import Acquisition, Configuration
from ..command_line import BadParameterError, CommandLine, Form
from ..module import Module
from ..module_client import Client
from ..result_codes import CLIENT_NOT_ACQUIRED, LENGTH_OUT_OF_RANGE, NETWORK_OPEN_FAIL, SUCCEEDED
from .registry import command, test_form

LONGEST_CLIENT_ID = 128

test_form("CMQTTACCQ", "(0-1),(1-128)[,(0-1)]")
test_form("CMQTTREL", "(0-1)")
test_form("CMQTTSSLCFG", "(0,1),(0-9)")


def addressed_client(module: Module, line: CommandLine, answer: Answer, position: int = 0) -> Client:
    """Return the client whose index a command line holds, and set the index of the answer's result line."""
    client = module.clients[line.number(position, 0, len(module.clients) - 1)]
    answer.index = client.index
    return client


@command("CMQTTSTART", Form.EXECUTE, Form.WRITE)
def _start(module: Module, line: CommandLine, answer: Answer) -> None:
    if line.form is Form.WRITE:
        line.count(1, 1)
        answer.context_id = line.number(0, 1, 15)
    if module.is_started:
        answer.context_id = None
        raise Refused(module.profile.codes.started_again)
    answer.accept()
    if answer.failure is not None:
        answer.conclude(answer.failure)
        return
    module.is_started = module.in_service
    answer.conclude(SUCCEEDED if module.is_started else NETWORK_OPEN_FAIL)


@command("CMQTTSTOP", Form.EXECUTE, Form.WRITE)
def _stop(module: Module, line: CommandLine, answer: Answer) -> None:
    if line.form is Form.WRITE:
        line.count(1, 1)
        answer.context_id = line.number(0, 1, 15)
    if answer.failure is not None:
        raise Refused(answer.failure)
    if any(client.acquisition is not None for client in module.clients):
        answer.context_id = None
        raise Refused(module.profile.codes.stop_while_acquired)
    answer.accept()
    module.close()
    answer.conclude(SUCCEEDED)


@command("CMQTTACCQ", Form.WRITE)
def _acquire(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(2, 4 if module.profile.has_version_in_acquire else 3)
    client = addressed_client(module, line, answer)
    client_id = line.text(1)
    is_tls = bool(line.number(2, 0, 1, default=0))
    version = line.number(3, 3, 4, default=3)
    if not 1 <= len(client_id) <= LONGEST_CLIENT_ID:
        raise Refused(LENGTH_OUT_OF_RANGE)
    if client.acquisition is not None:
        raise Refused(module.profile.codes.acquired_again)
    client.acquisition = Acquisition(client_id, is_tls, Configuration(version=version))
    answer.ok()


@command("CMQTTACCQ", Form.READ)
def _show_acquired(module: Module, _line: CommandLine, answer: Answer) -> None:
    for client in module.clients:
        acquisition = client.acquisition
        client_id, is_tls = (
            (b"", False) if acquisition is None else (acquisition.client_id, acquisition.is_tls)
        )
        answer.information(b'+CMQTTACCQ: %d,"%b",%d' % (client.index, client_id, is_tls))
    answer.ok()


@command("CMQTTREL", Form.WRITE)
def _release(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    client = addressed_client(module, line, answer)
    if client.acquisition is None:
        raise Refused(CLIENT_NOT_ACQUIRED)
    if client.is_connected or client.is_busy:
        raise Refused(None)
    client.release()
    answer.ok()


@command("CMQTTREL", Form.READ)
def _show_started(_module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.ok()


@command("CMQTTSSLCFG", Form.WRITE)
def _use_ssl_context(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(2, 2)
    addressed_client(module, line, answer).ssl_context = line.number(1, 0, 9)
    answer.ok()


@command("CMQTTSSLCFG", Form.READ)
def _show_ssl_contexts(module: Module, _line: CommandLine, answer: Answer) -> None:
    for client in module.clients:
        context = "" if client.ssl_context is None else client.ssl_context
        answer.information(f"+CMQTTSSLCFG: {client.index},{context}")
    answer.ok()


@command("CMQTTCFG", Form.WRITE)
def _configure(module: Module, line: CommandLine, answer: Answer) -> None:
    setting = line.text(0)
    line.count(3, 4 if setting == b"argtopic" else 3)
    client = addressed_client(module, line, answer, 1)
    if client.acquisition is None or client.is_connected or client.is_busy:
        raise Refused(None)
    configuration = client.acquisition.configuration
    match setting:
        case b"checkUTF8":
            configuration.check_utf8 = line.number(2, 0, 1)
        case b"optimeout":
            configuration.operation_timeout = line.number(2, 20, 120)
        case b"version" if not module.profile.has_version_in_acquire:
            configuration.version = line.number(2, 3, 4)
        case b"argtopic" if module.profile.has_topic_arguments:
            configuration.has_topic_arguments = bool(line.number(2, 0, 1))
            configuration.shows_messages_in_one_line = bool(line.number(3, 0, 1, default=0))
        case _:
            raise BadParameterError("unknown setting")
    answer.ok()


@command("CMQTTCFG", Form.TEST)
def _show_settings(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information('+CMQTTCFG: "checkUTF8",(0-1),(0-1)')
    answer.information('+CMQTTCFG: "optimeout ",(0-1),(20-120)')
    if not module.profile.has_version_in_acquire:
        answer.information('+CMQTTCFG: "version",(0-1),(3-4)')
    if module.profile.has_topic_arguments:
        answer.information('+CMQTTCFG: "argtopic",(0-1),(0-1),(0-1)')
    answer.ok()


@command("CMQTTCFG", Form.READ)
def _show_configuration(module: Module, _line: CommandLine, answer: Answer) -> None:
    for client in module.clients:
        configuration = client.configuration
        answer.information(
            f"+CMQTTCFG: {client.index},{configuration.check_utf8},{configuration.operation_timeout}"
        )
    answer.ok()
