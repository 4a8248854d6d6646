"""Documents the extension module: signatures and types from its stub, docstrings from the module itself.

Docstrings name arguments and errors at the beginning of a line, as `help()` shows them; here these lines
become the fields that Sphinx knows.
"""

import __future__

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx

import simcom_mqtt
from simcom_mqtt import _native, aio, types

ENTRY = re.compile(r"(?P<names>\w+(?:, \w+)*): (?P<text>.*)")
CODE_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
OURS = re.compile(r"(SimcomMqtt|MqttClient|Capture|Message|Tls|Will|Reconnect)(\.\w+)?")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    put_stub_in_place()
    app.connect("autodoc-process-docstring", rewrite)
    app.connect("autodoc-process-signature", hide_constructor)
    return {"parallel_read_safe": True}


def put_stub_in_place() -> None:
    """Let autodoc find the stub's classes, which know their types, where the extension's are."""
    path = Path(_native.__file__).with_name("_native.pyi")
    stub = ModuleType("simcom_mqtt")
    later = __future__.annotations.compiler_flag  # a stub may name a class that is defined further down
    exec(compile(path.read_text(), path, "exec", flags=later, dont_inherit=True), vars(stub))  # noqa: S102
    # The reference names the aliases, not the long unions behind them.
    vars(stub).update({name: type(name, (), {"__module__": "simcom_mqtt"}) for name in types.__all__})
    for name, native in vars(_native).items():
        if inspect.isclass(native) or inspect.isbuiltin(native):
            described = getattr(stub, name)
            take_docstrings(native, described)
            setattr(simcom_mqtt, name, described)
    for awaited in (aio.SimcomMqtt, aio.MqttClient):
        for name, member in vars(awaited).items():
            if hasattr(member, "__wrapped__"):  # has the signature of the blocking method
                member.__wrapped__ = getattr(getattr(stub, awaited.__name__), name)


def take_docstrings(native: Any, described: Any) -> None:
    """Prefer the docstring of the extension, which `help()` shows, to the one of the stub."""
    described.__doc__ = native.__doc__ or described.__doc__
    if inspect.isclass(native):
        for name, member in vars(described).items():
            if name == "__exit__" or (not name.startswith("__") and hasattr(native, name)):
                take_docstrings(getattr(native, name), member)


def hide_constructor(
    _app: Sphinx, what: str, _name: str, thing: object, _options: object, _arguments: str, _result: str
) -> tuple[str, None] | None:
    """Show no constructor for objects that only other methods make."""
    return ("", None) if what == "class" and "Made by `" in (thing.__doc__ or "") else None


def rewrite(_app: Sphinx, _what: str, _name: str, thing: object, _options: object, lines: list[str]) -> None:
    """Turn descriptions of arguments and errors into fields, and text in backticks into links or code."""
    lines[:] = [CODE_SPAN.sub(link_or_code, line) for line in with_fields(lines, parameters_of(thing))]


def link_or_code(span: re.Match[str]) -> str:
    """Return a link for a class of this package or its member, and code for anything else."""
    return f":py:obj:`{span[1]} <simcom_mqtt.{span[1]}>`" if OURS.fullmatch(span[1]) else f"``{span[1]}``"


def parameters_of(thing: object) -> frozenset[str]:
    """Return the names that a docstring may describe as arguments."""
    if not callable(thing):
        return frozenset()
    try:
        return frozenset(inspect.signature(thing).parameters)
    except ValueError:
        return frozenset()


def with_fields(lines: list[str], parameters: frozenset[str]) -> Iterator[str]:
    """Yield the lines, with fields for each entry. Lines indented below an entry belong to it."""
    rest = list(lines)
    while rest:
        line = rest.pop(0)
        entry = ENTRY.fullmatch(line)
        names = entry["names"].split(", ") if entry else []
        if entry and parameters.issuperset(names):
            fields = [f":param {name}:" for name in names]
        elif entry and all(name.endswith("Error") for name in names):
            fields = [f":raises {', '.join(names)}:"]
        else:
            yield line
            continue
        text = [entry["text"]]
        while rest and rest[0].startswith(" "):
            text.append(rest.pop(0).strip())
        yield from ("", *(f"{field} {' '.join(text)}" for field in fields))
        if rest and rest[0] and not ENTRY.fullmatch(rest[0]):
            yield ""
