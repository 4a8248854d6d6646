"""TLS: the SSL contexts (CSSLCFG) and the certificate store (CCERTDOWN, CCERTLIST, CCERTDELE)."""

from typing import Final

from ..answer import Answer
from ..certificate_store import LARGEST_FILE, file_name
from ..command_line import BadParameterError, CommandLine, Form
from ..equipment_errors import CommandFailedError, EquipmentError
from ..module import Module
from ..ssl_context import SSL_CONTEXTS, SslSettings
from .registry import command, test_form

_NUMBERS: Final = {
    b"sslversion": (0, 4),
    b"authmode": (0, 3),
    b"ignorelocaltime": (0, 1),
    b"negotiatetime": (10, 300),
    b"enableSNI": (0, 1),
    b"ignorecertCN": (0, 1),
    b"use_tickets": (0, 1),
    b"ciphersuites": (0, 0xFFFF),
}
_FILES: Final = frozenset({b"cacert", b"clientcert", b"clientkey", b"password"})

test_form(
    "CSSLCFG",
    '"sslversion",(0-9),(0-4)',
    '"authmode",(0-9),(0-3)',
    '"cacert",(0-9),(5-55)',
    '"clientcert",(0-9),(5-55)',
    '"clientkey",(0-9),(5-55)',
    '"password",(0-9),(5-55)',
    '"ignorelocaltime",(0-9),(0-1)',
    '"negotiatetime",(0-9),(10-300)',
    '"enableSNI",(0-9),(0-1)',
    '"ignorecertCN",(0-9),(0-1)',
    '"use_tickets",(0-9),(0-1)',
    '"ciphersuites",(0-9),(0x0000-0xffff)',
)
test_form("CCERTDOWN", "(5-55),(1-10240)")
test_form("CCERTLIST")
test_form("CCERTDELE", "(5-55)")
test_form("CCERTMOVE", "(5-55)")


@command("CSSLCFG", Form.WRITE)
def _configure(module: Module, line: CommandLine, answer: Answer) -> None:
    if len(line.parameters) == 1:
        context = line.number(0, 0, SSL_CONTEXTS - 1)
        answer.information(_shown(context, module.ssl_settings(context)))
        answer.ok()
        return
    line.count(3, 3)
    setting = line.text(0)
    settings = module.ssl_settings(line.number(1, 0, SSL_CONTEXTS - 1))
    if setting in _FILES:
        setattr(settings, setting.decode("ascii"), file_name(line.text(2)))
    elif setting in _NUMBERS:
        setattr(settings, setting.decode("ascii"), line.number(2, *_NUMBERS[setting]))
    else:
        raise BadParameterError("unknown setting")
    answer.ok()


@command("CSSLCFG", Form.READ)
def _show_all(module: Module, _line: CommandLine, answer: Answer) -> None:
    for context in range(SSL_CONTEXTS):
        answer.information(_shown(context, module.ssl_settings(context)))
    answer.ok()


@command("CCERTDOWN", Form.WRITE)
def _download(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(2, 2)
    name = file_name(line.text(0))

    def entered(content: bytes) -> None:
        if len(content) > module.profile.largest_file:
            answer.error()
            return
        module.files[name] = content
        answer.ok()

    answer.prompt(line.number(1, 1, LARGEST_FILE), entered)


@command("CCERTLIST", Form.EXECUTE)
def _list_files(module: Module, _line: CommandLine, answer: Answer) -> None:
    for name in module.files:
        answer.information(f'+CCERTLIST: "{name}"')
    answer.ok()


@command("CCERTDELE", Form.WRITE)
def _delete(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    if module.files.pop(file_name(line.text(0)), None) is None:
        raise CommandFailedError(EquipmentError.NOT_FOUND)
    answer.ok()


@command("CCERTMOVE", Form.WRITE)
def _move(_module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 1)
    file_name(line.text(0))
    answer.ok()


def _shown(context: int, settings: SslSettings) -> str:
    files = ",".join(
        f'"{name}"' for name in (settings.cacert, settings.clientcert, settings.clientkey, settings.password)
    )
    return (
        f"+CSSLCFG: {context},{settings.sslversion},{settings.authmode},{settings.ignorelocaltime},"
        f"{settings.negotiatetime},{files},{settings.enableSNI},{settings.ignorecertCN},"
        f"{settings.use_tickets},0x{settings.ciphersuites:04X}"
    )
