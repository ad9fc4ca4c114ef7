"""The command `flywheel`: every command with the file it lives in, and one line for every error.

A command's file is imported only when the command is asked for, so `flywheel --help` is quick and heavy
libraries stand at the top of the files that need them.
"""

import logging
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click
from click.exceptions import Abort

from openflywheel.base.errors import FlywheelError, MissingExtra, suggest
from openflywheel.window._error import Lines, report

Commands = Mapping[str, tuple[str, str]]

SECTIONS: Mapping[str, Commands] = {
    "Begin": {
        "init": ("_init", "Write a commented flywheel.yaml that runs as it is."),
        "demo": ("_demo", "Watch a support desk get better by itself, turn by turn."),
        "plugins": ("_plugins", "Show what each room offers, with its settings."),
        "schema": ("_plugins", "Print the JSON Schema of flywheel.yaml."),
    },
    "Use": {
        "ask": ("_people", "Ask the champion of a task."),
        "signal": ("_people", "Tell how an exchange went."),
        "label": ("_label", "Answer what experts are asked."),
        "simulate": ("_demo", "Send labelled messages of a file as traffic, and turn."),
    },
    "Collect": {
        "collect": ("_collect", "Fetch what the gaps ask for."),
    },
    "Curate": {
        "curate": ("_curate", "Let the records that wait become rows of datasets."),
        "datasets": ("_datasets", "List, show, compare and export versions of datasets."),
    },
    "Customize": {
        "models": ("_models", "List, show, compare, export and import models; cancel jobs."),
    },
    "Turn": {
        "turn": ("_turning", "Turn the wheel once."),
        "spin": ("_turning", "Turn whenever a trigger says so, until interrupted."),
    },
    "Serve": {
        "serve": ("_serve", "Answer over HTTP, hear signals, and turn when it is time, until interrupted."),
        "keys": ("_keys", "Create, list and revoke API keys of the gateway."),
        "providers": ("_providers", "Show how the providers did over the last day, and on whom all depends."),
        "fake-provider": ("_fake", "Answer as providers of models and data would, for tests."),
        "replay": ("_replay", "Send logged traffic again and compare the answers."),
    },
    "Look": {
        "map": ("_looking", "Show the ring with live figures."),
        "status": ("_looking", "Show who serves, what is asked, what is stored."),
        "readings": ("_looking", "Show how well the wheel itself turns."),
        "signals": ("_signals", "Show what is heard, what it is worth, and what is not heard."),
        "why": ("_why", "Show why a model serves, back to what people said."),
        "doctor": ("_doctor", "Find what is wrong, and say what to do."),
    },
}
HELP = {"help_option_names": ["-h", "--help"]}
COMMANDS: Commands = {name: place for section in SECTIONS.values() for name, place in section.items()}


class Terminal(click.Group):
    """Finds commands by name, and turns errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the signature is click's
        """Every command, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name, from its file. Raises UsageError for a name that is near another."""
        if cmd_name not in COMMANDS:
            ctx.fail(f"there is no command {cmd_name!r}; {suggest(cmd_name, COMMANDS)}")
        return _import(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The sections of the help, without importing any command."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in commands.items()], col_max=14)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run a command line and leave: 0 fine, 1 something failed, 2 a mistake, 130 interrupted."""
        given = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(given, *rest, **{**extra, "prog_name": "flywheel", "standalone_mode": False})
        except Abort:
            click.echo("interrupted", err=True)
            code = 130
        except (FlywheelError, click.ClickException, OSError) as error:
            report(error, as_json="--json" in given)
            code = 2
        sys.exit(code or 0)


def _import(name: str) -> click.Command:
    try:
        module = import_module(f"openflywheel.window.{COMMANDS[name][0]}")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "openflywheel":
            raise
        raise MissingExtra(f"flywheel {name} needs {missing!r}: pip install {missing}") from error
    found: click.Command = module.COMMANDS[name]
    return found


@click.group(cls=Terminal, invoke_without_command=True, context_settings=HELP)
@click.version_option(package_name="openflywheel", message="%(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """An AI data flywheel: usage makes data, data makes better models, better models win more usage.

    flywheel init, then flywheel turn; or flywheel demo. Every command prints one JSON document with --json.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[Lines()])
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
