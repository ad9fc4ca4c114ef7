"""The experts' queue in the terminal: one question after another. The talk is on standard error."""

import sys
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import click
from msgspec import Struct
from rich.console import RenderableType

from openflywheel.base.holdout import DRAWN
from openflywheel.base.nouns import Exchange, Row
from openflywheel.store import Store
from openflywheel.store.experts import Question
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window._command import command, file_option
from openflywheel.window._figures import plural, quoted

SKIP, QUIT = "s", "q"


class Session(Struct, frozen=True, kw_only=True):
    """How a session went; `left` questions are still open."""

    answered: int
    skipped: int
    left: int


def _show(session: Session) -> Iterator[RenderableType]:
    yield f"Answered {session.answered}, skipped {session.skipped}; {plural(session.left, 'question')} left."
    if session.answered:
        yield "Learn from it with: flywheel turn"


@command("label", show=_show)
@click.option("--limit", type=click.IntRange(1), help="Ask at most so many.  [default: all]")
@file_option
def label(file: Path, limit: int | None) -> Session:
    """Answer what experts are asked.

    Type the number of a choice, or a label; s skips the question, q ends the session.
    """
    with Flywheel.open(file) as wheel:
        given = list(_answers(wheel, wheel.store.experts.open(limit or -1)))
        left = len(wheel.store.experts.open())
        return Session(answered=sum(given), skipped=len(given) - sum(given), left=left)


def _answers(wheel: Flywheel, questions: Sequence[Question]) -> Iterator[bool]:
    """Was it answered, or skipped? One a question, until the expert quits; answers are kept at once."""
    known = _known(wheel.store)
    for number, question in enumerate(questions, 1):
        exchange = wheel.exchange(question.exchange)
        labels = known.setdefault(question.task, set())
        _tell(f"\n{number} of {len(questions)}, {question.task}: {question.why}")
        word = _ask(exchange, labels, blind=question.why == DRAWN)
        if word == QUIT:
            return
        if word != SKIP:
            wheel.signal(exchange, label=word)
            labels.add(word)
        yield word != SKIP


def _known(store: Store) -> dict[str, set[str]]:
    """task -> labels that were ever taught."""
    known: dict[str, set[str]] = {}
    for row in store.all(Row):
        for task, said in row.labels.items():
            known.setdefault(task, set()).add(said)
    return {task: labels - {""} for task, labels in known.items()}  # sealed rows have no label yet


def _ask(exchange: Exchange, known: Collection[str], blind: bool) -> str:
    """A label, or SKIP, or QUIT. `blind` hides what the model thinks: the answer will judge it."""
    choices = sorted(exchange.choices) if blind else exchange.choices
    _tell(f"  {quoted(exchange.input)}")
    if exchange.output and not blind:
        _tell(f"  the model said {exchange.output} ({exchange.confidence:.0%} sure)")
    if choices:
        _tell("  " + "   ".join(f"{n} {choice}" for n, choice in enumerate(choices, 1)))
    while True:
        word = _read("number, label, s (skip) or q (quit): ")
        if word in known or word in (SKIP, QUIT):
            return word
        if word.isdecimal():
            if 1 <= int(word) <= len(choices):
                return choices[int(word) - 1]
            _tell(f"there is no choice {word}")
        elif word and (sure := _confirm(word, known)):
            return sure


def _confirm(word: str, known: Collection[str]) -> str:
    """An unknown word: a known label that is near it, a new label, or nothing."""
    near = get_close_matches(word, known, n=1)
    if near and _yes(f"there is no label {word!r}; did you mean {near[0]!r}?"):
        return near[0]
    return word if _yes(f"make {word!r} a new label?") else ""


def _yes(question: str) -> bool:
    return _read(f"{question} y/n: ").lower() in ("y", "yes")


def _tell(text: str) -> None:
    click.echo(text, err=True)


def _read(prompt: str) -> str:
    """A line of standard input; its end is QUIT."""
    click.echo(prompt, nl=False, err=True)
    line = sys.stdin.readline()
    return line.strip() if line else QUIT


COMMANDS = {"label": label}
