"""An exception in a callback fails the test during which it was raised."""

from __future__ import annotations

import traceback
from collections.abc import Generator
from typing import Final

import pytest

from pytest_simcom_mqtt.module_under_test import ModuleUnderTest, module_in_use

NOTE: Final = "raised in a callback of the module, on its callback thread"

_SECTION = pytest.StashKey[str]()


def raise_callback_errors(module: ModuleUnderTest) -> None:
    """Raise the exceptions of callbacks that were not raised before."""
    errors = module.take_callback_errors()
    if not errors:
        return
    exceptions = [_as_exception(error) for error in errors]
    if len(exceptions) > 1:
        raise ExceptionGroup(NOTE, exceptions)
    exceptions[0].add_note(NOTE)
    raise exceptions[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that passed; add a section to the report of a test that failed."""
    yield from _fail_for_callbacks(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Fail the teardown for exceptions raised after the test itself."""
    yield from _fail_for_callbacks(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the exceptions of callbacks to the report of a failed test."""
    report = yield
    section = item.stash.get(_SECTION, "")
    if report.failed and section:
        report.sections.append((NOTE, section))
        item.stash[_SECTION] = ""
    return report


def _as_exception(error: BaseException) -> Exception:
    """Wrap a skip or an exit: the test itself did not raise it."""
    if isinstance(error, Exception):
        return error
    exception = RuntimeError(f"a callback raised {error!r}")
    exception.__cause__ = error
    return exception


def _fail_for_callbacks(item: pytest.Item) -> Generator[None, None, None]:
    module = module_in_use(item.config)
    try:
        yield
    except (pytest.skip.Exception, pytest.xfail.Exception):
        # Exceptions raised before the skip still fail the test.
        if module is not None:
            raise_callback_errors(module)
        raise
    except BaseException:
        if module is not None:
            errors = module.take_callback_errors()
            item.stash[_SECTION] = "\n".join("".join(traceback.format_exception(e)) for e in errors)
        raise
    if module is not None:
        raise_callback_errors(module)
