"""Basic commands: ATE, ATI, ATQ, ATV, ATZ, AT&F, AT&W. Several can stand in one line, as in `ATE0V1`."""

from collections.abc import Iterable

from ..module import Module
from .identification import identification
from .registry import basic_command


@basic_command("E", "E1")
def _echo_on(module: Module) -> Iterable[str]:
    module.terminal.echo = True
    return ()


@basic_command("E0")
def _echo_off(module: Module) -> Iterable[str]:
    module.terminal.echo = False
    return ()


@basic_command("V", "V1")
def _words_as_results(module: Module) -> Iterable[str]:
    module.terminal.is_verbose = True
    return ()


@basic_command("V0")
def _numbers_as_results(module: Module) -> Iterable[str]:
    module.terminal.is_verbose = False
    return ()


@basic_command("Q", "Q0")
def _show_results(_module: Module) -> Iterable[str]:
    return ()


@basic_command("I", "I0")
def _identify(module: Module) -> Iterable[str]:
    return identification(module)


@basic_command("Z", "Z0")
def _restore_stored_settings(module: Module) -> Iterable[str]:
    module.restore_stored_settings()
    return ()


@basic_command("&W", "&W0")
def _store_settings(module: Module) -> Iterable[str]:
    module.store_settings()
    return ()


@basic_command("&F", "&F0")
def _restore_factory_settings(module: Module) -> Iterable[str]:
    module.restore_factory_settings()
    return ()
