"""Exit codes: an error ends a command with a message and a status, not with a traceback."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

import click

from simcom_mqtt import SimcomError

from .text import error_text

INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141


class Failure(click.ClickException):
    """The operation failed. The message says what failed, what the module said and what to try."""

    exit_code = 1


class InvalidArgument(click.ClickException):
    """The driver refused an argument before it wrote a byte. The message names argument, value and range."""

    exit_code = 2


@contextmanager
def exit_codes() -> Iterator[None]:
    """Convert the errors of the block to a message and an exit code."""
    try:
        yield
        if sys.stdout is not None:  # the caller of the command may have closed it
            sys.stdout.flush()
    except (click.ClickException, click.exceptions.Exit):
        raise
    except (KeyboardInterrupt, click.Abort):
        raise click.exceptions.Exit(INTERRUPTED) from None
    except ValueError as error:
        raise InvalidArgument(error_text(error)) from None
    except (SimcomError, OSError, RuntimeError) as error:
        if _is_broken_pipe(error):
            flush_or_discard(sys.stdout)
            raise click.exceptions.Exit(BROKEN_PIPE) from None
        raise Failure(error_text(error)) from None


def _is_broken_pipe(error: Exception) -> bool:
    # Windows reports a pipe without a reader as EINVAL.
    is_invalid = type(error) is OSError and error.errno == errno.EINVAL
    return isinstance(error, BrokenPipeError) or (sys.platform == "win32" and is_invalid)


def flush_or_discard(stream: TextIO | None) -> None:
    """Flush a standard stream, or send its buffer to the null device if its file takes nothing any more.

    The interpreter flushes once more at its end. A failure there would replace the exit code by 120.
    """
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
