"""What a callback raises fails the test during which it ran."""

from __future__ import annotations

import traceback
from collections.abc import Generator
from typing import Final

import pytest

from pytest_simcom_mqtt.device import Device, device_in_use

NOTE: Final = "raised in a callback of the module, on its callback thread"

_BESIDE_A_FAILURE = pytest.StashKey[str]()


def raise_callback_errors(device: Device) -> None:
    """Raise what callbacks raised and was not raised before."""
    errors = device.take_callback_errors()
    if not errors:
        return
    exceptions = [_as_exception(error) for error in errors]
    if len(exceptions) > 1:
        raise ExceptionGroup(NOTE, exceptions)
    exceptions[0].add_note(NOTE)
    raise exceptions[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that passed; tell beside the failure of one that failed."""
    yield from _fail_for_callbacks(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Tell what came too late for the test itself."""
    yield from _fail_for_callbacks(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what callbacks raised beside the failure of the test."""
    report = yield
    beside = item.stash.get(_BESIDE_A_FAILURE, "")
    if report.failed and beside:
        report.sections.append((NOTE, beside))
        item.stash[_BESIDE_A_FAILURE] = ""
    return report


def _as_exception(error: BaseException) -> Exception:
    """The error itself, unless it is a skip or an exit: those must not pass for one of the test."""
    if isinstance(error, Exception):
        return error
    exception = RuntimeError(f"a callback raised {error!r}")
    exception.__cause__ = error
    return exception


def _fail_for_callbacks(item: pytest.Item) -> Generator[None, None, None]:
    device = device_in_use(item.config)
    try:
        yield
    except (pytest.skip.Exception, pytest.xfail.Exception):
        # What was raised before the test gave up is no less an error.
        if device is not None:
            raise_callback_errors(device)
        raise
    except BaseException:
        if device is not None:
            errors = device.take_callback_errors()
            item.stash[_BESIDE_A_FAILURE] = "\n".join("".join(traceback.format_exception(e)) for e in errors)
        raise
    if device is not None:
        raise_callback_errors(device)
