"""What every command shares: --file, --json, and one document on standard output.

A command is a function from its options to data. With --json the data are printed as they are; else its
`show` turns them into lines. So nothing but the document can reach standard output.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console, RenderableType
from rich.text import Text

Show = Callable[[Any], Iterable[RenderableType]]

file_option = click.option(
    "-f",
    "--file",
    type=click.Path(path_type=Path),
    default="flywheel.yaml",
    show_default=True,
    help="The flywheel's settings.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def command(
    name: str, *, show: Show, failed: Callable[[Any], bool] = lambda _: False
) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of a function that returns data; it exits with 1 when `failed` says so of them.

    Of a function that returns an iterator, every item is shown as it comes.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @wraps(function)
        def run(*, as_json: bool, **options: Any) -> None:
            result = function(**options)
            data = _follow(result, show, as_json) if isinstance(result, Iterator) else result
            if as_json:
                print_json(data)
            elif data is result:
                print_lines(show(data))
            if failed(data):
                raise click.exceptions.Exit(1)

        return click.command(name)(json_option(run))

    return decorate


def _follow(items: Iterator[Any], show: Show, as_json: bool) -> list[Any]:
    """All the items; an interrupted command still tells what it has done."""
    seen = []
    try:
        for item in items:
            seen.append(item)
            print_lines(() if as_json else show(item))
    except KeyboardInterrupt:
        if as_json:
            print_json(seen)
        raise
    return seen


def print_json(data: Any) -> None:
    """One document on standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(data), indent=2))


def print_lines(lines: Iterable[RenderableType]) -> None:
    """Text for people on standard output; sentences are left to the terminal to wrap."""
    console = Console(markup=False, emoji=False, highlight=False)
    for line in lines:
        console.print(line, soft_wrap=isinstance(line, str | Text))


class Listing(click.Group):
    """Without a command of its own it lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options alone are those of `list`."""
        alone = all(word.startswith("-") for word in args[:1]) and not set(args) & set(ctx.help_option_names)
        return super().parse_args(ctx, ["list", *args] if alone else args)
