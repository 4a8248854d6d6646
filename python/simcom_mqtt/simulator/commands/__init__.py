"""The AT commands that the module knows, by area; each file registers its own."""

from ..parameters import CommandLine
from ..profiles import Profile
from . import certificates, general, messages, network, service, session
from .registry import Handler
from .registry import find as _find

__all__ = ["find"]

_AREAS = (certificates, general, messages, network, service, session)


def find(line: CommandLine, profile: Profile) -> Handler | None:
    """Return what carries out a command line; None if this firmware does not know the command or the form."""
    return _find(line, profile)
