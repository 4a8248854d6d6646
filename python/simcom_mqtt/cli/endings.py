"""How a command ends: a message instead of a traceback, and an exit status that scripts can rely on."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from simcom_mqtt import SimcomError

from .screen import printable

INTERRUPTED = 130
BROKEN_PIPE = 141


class Failure(click.ClickException):
    """The operation failed: what failed, what the module said, what to try."""

    exit_code = 1


class Refusal(click.ClickException):
    """The driver refused an argument, before a byte was written: argument, value and range."""

    exit_code = 2


@contextmanager
def ending_as_agreed() -> Iterator[None]:
    """Turn what went wrong in the block into a message and an exit status."""
    try:
        yield
        sys.stdout.flush()
    except (click.ClickException, click.exceptions.Exit):
        raise
    except (KeyboardInterrupt, click.Abort):
        raise click.exceptions.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _say_no_more()
        raise click.exceptions.Exit(BROKEN_PIPE) from None
    except ValueError as error:
        raise Refusal(printable(str(error))) from None
    except (SimcomError, OSError, RuntimeError) as error:
        raise Failure(printable(str(error))) from None


def _say_no_more() -> None:
    # Or the interpreter complains at its end that it could not flush.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
