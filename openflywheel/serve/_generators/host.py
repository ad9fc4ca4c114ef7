"""The process that child.py starts: loads and unloads as it is told, until its input ends."""

import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TextIO

import msgspec
from msgspec import Struct

from openflywheel.base.errors import MissingExtra
from openflywheel.serve._generators.champion import Champion
from openflywheel.serve.generators import Generator

EXTRAS = {"llamacpp": "llamacpp", "transformers": "lora"}
WORDS = 2_000  # characters of an error: torch lists every tensor that does not fit


class Told(Struct):
    """The first line."""

    generator: Generator
    workspace: Path
    folder: Path


class Command(Struct):
    """Every further one; its number stands in its answer."""

    number: int
    load: Champion | None = None
    unload: Champion | None = None


class Answer(Struct, omit_defaults=True):
    """What is said to a command: where the model answers, or why not.

    `special` are the names of the special tokens that it would read in messages.
    """

    number: int
    url: str = ""
    special: tuple[str, ...] = ()
    error: str = ""


class Hosting(Protocol):
    """What serves: host_llamacpp.py, host_transformers.py."""

    def load(self, champion: Champion) -> str:
        """The base URL at which it answers from now on. Raises FlywheelError."""
        ...

    def special(self, champion: Champion) -> tuple[str, ...]:
        """The special tokens that a loaded model would read in messages."""
        ...

    def unload(self, champion: Champion) -> None: ...

    def close(self) -> None: ...


def main() -> None:
    """Answer commands. Ctrl-C is for the parent, which then closes our input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    say = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not stand among the answers
    told = _decode(sys.stdin.readline(), Told)
    try:
        hosting = _hosting(told)
    except MissingExtra as error:
        _refuse(say, error)
        return
    for line in sys.stdin:
        _answer(say, hosting, _decode(line, Command))
    hosting.close()


def _hosting(told: Told) -> Hosting:
    engine = told.generator.engine
    try:
        module = import_module(f"openflywheel.serve._generators.host_{engine}")
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"engine: {engine} needs {error.name!r}: pip install 'openflywheel[{EXTRAS[engine]}]'"
        ) from error
    hosting: Hosting = module.Hosting(told.generator, told.workspace, told.folder)
    return hosting


def _refuse(say: TextIO, error: Exception) -> None:
    """Say of every command why it cannot be done."""
    for line in sys.stdin:
        _say(say, Answer(_decode(line, Command).number, error=str(error)))


def _answer(say: TextIO, hosting: Hosting, command: Command) -> None:
    answer = Answer(command.number)
    try:
        if command.load:
            answer.url = hosting.load(command.load)
            answer.special = hosting.special(command.load)
        elif command.unload:
            hosting.unload(command.unload)
    except Exception as error:  # whatever is wrong with one model, the others go on being served
        answer.error = f"{type(error).__name__}: {error}"[:WORDS]
    _say(say, answer)


def _say(say: TextIO, answer: Answer) -> None:
    say.write(msgspec.json.encode(answer).decode() + "\n")
    say.flush()


def _decode(line: str, kind: Any) -> Any:
    """With paths, which msgspec has no word for."""
    return msgspec.json.decode(line, type=kind, dec_hook=lambda made, value: made(value))


if __name__ == "__main__":
    main()
