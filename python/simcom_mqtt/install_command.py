"""The command that installs an extra of this package, for texts that name it."""

import json
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import urlsplit
from urllib.request import url2pathname

__all__ = ["install_command"]

PACKAGE = "simcom-mqtt"


def install_command(extra: str) -> str:
    """Return the command that adds an extra, from the clone or file of this installation if there is one."""
    return f"pip install '{_source(extra)}'"


def _source(extra: str) -> str:
    # pip writes this file when it installs from anything but an index.
    try:
        direct_url = distribution(PACKAGE).read_text("direct_url.json")
    except PackageNotFoundError:
        direct_url = None
    if direct_url is None:
        return f"{PACKAGE}[{extra}]"
    origin = json.loads(direct_url)
    url = origin["url"]
    if url.startswith("file:"):
        return f"{url2pathname(urlsplit(url).path)}[{extra}]"
    vcs = origin.get("vcs_info", {}).get("vcs")
    return f"{PACKAGE}[{extra}] @ {f'{vcs}+' if vcs else ''}{url}"
