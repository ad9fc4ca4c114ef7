"""Errors and logs for people: a line on standard error, a stack trace only where the program is wrong."""

import json
import logging
import sys

import click

from openflywheel.base.errors import FlywheelError


def report(error: Exception, *, as_json: bool) -> None:
    """Say what went wrong: a line on standard error, or a JSON document on standard output."""
    if as_json:
        click.echo(json.dumps({"error": type(error).__name__, "message": _message(error)}))
    else:
        click.echo(f"{click.style('error:', fg='red', bold=True)} {_message(error)}", err=True)


def _message(error: Exception) -> str:
    if not isinstance(error, click.ClickException):
        return str(error)
    said = error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{said} See: {context.command_path} --help" if context else said


class Lines(logging.Handler):
    """Log records as lines on standard error; mistakes of the user without their stack trace."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, FlywheelError):
            record.exc_info = record.exc_text = None
            record.msg = f"{record.msg}: {error}"
        print(f"{record.levelname.lower()}: {self.format(record)}", file=sys.stderr)
