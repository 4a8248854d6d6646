"""Identity of module and SIM card: CGMI, CGMM, CGMR, CGSN, SIMEI, SIMCOMATI, CICCID, CIMI."""

from ..answer import Answer
from ..command_line import CommandLine, Form
from ..module import Module
from .registry import command, test_form

_CAPABILITIES = "+GCAP: +CGSM,+FCLASS,+DS"

for _name in (
    "CGMI",
    "CGMM",
    "CGMR",
    "CGSN",
    "GMI",
    "GMM",
    "GMR",
    "GSN",
    "SIMEI",
    "CICCID",
    "CIMI",
    "SIMCOMATI",
):
    test_form(_name)


def identification(module: Module) -> list[str]:
    """Return the information lines of ATI."""
    profile = module.profile
    return [
        f"Manufacturer: {profile.manufacturer}",
        f"Model: {profile.model}",
        f"Revision: {profile.revision}",
        f"IMEI: {module.identity.imei}",
        _CAPABILITIES,
    ]


@command("SIMCOMATI", Form.EXECUTE)
def _long_identification(module: Module, _line: CommandLine, answer: Answer) -> None:
    *head, imei, capabilities = identification(module)
    for line in (*head, module.profile.second_revision):
        answer.information(line)
    has_more = module.profile.has_long_identification
    for line in ("QCN:", imei, "MEID:", capabilities, "DeviceInfo:") if has_more else (imei, capabilities):
        answer.information(line)
    answer.ok()


@command("CGMI", Form.EXECUTE)
@command("GMI", Form.EXECUTE)
def _manufacturer(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(module.profile.manufacturer)
    answer.ok()


@command("CGMM", Form.EXECUTE)
@command("GMM", Form.EXECUTE)
def _model(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(module.profile.model)
    answer.ok()


@command("CGMR", Form.EXECUTE)
@command("GMR", Form.EXECUTE)
def _revision(module: Module, line: CommandLine, answer: Answer) -> None:
    prefix = "+CGMR: " if line.name == "CGMR" else ""
    answer.information(prefix + module.profile.revision)
    answer.ok()


@command("CGSN", Form.EXECUTE)
@command("GSN", Form.EXECUTE)
def _serial_number(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(module.identity.imei)
    answer.ok()


@command("SIMEI", Form.READ)
def _imei(module: Module, _line: CommandLine, answer: Answer) -> None:
    answer.information(f"+SIMEI: {module.identity.imei}")
    answer.ok()


@command("CICCID", Form.EXECUTE)
def _card_number(module: Module, _line: CommandLine, answer: Answer) -> None:
    module.sim.require_card()
    answer.information(f"+ICCID: {module.sim.iccid}")
    answer.ok()


@command("CIMI", Form.EXECUTE)
def _subscriber_number(module: Module, _line: CommandLine, answer: Answer) -> None:
    module.sim.require_ready()
    answer.information(module.sim.imsi)
    answer.ok()
