"""What an opened model replies, by the kind of its task."""

from collections.abc import Callable, Mapping, Sequence
from math import isnan, prod
from secrets import randbits

import msgspec
from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.answers import (
    Answers,
    Asked,
    Estimating,
    Exploring,
    Labelling,
    Ranking,
    Writing,
)
from openflywheel.serve._desk import Reply, replies

ITEMS = 10  # of a ranking that are answered
SURE = 1.0  # confidence of what has no probability: numbers and rankings are answered always


class Question(Struct, frozen=True):
    """What is asked, by whom (an opaque key)."""

    text: str
    subject: str = ""


Replies = Callable[[Answers, Sequence[Question], float], list[Reply]]


def reply(kind: str, answers: Answers, questions: Sequence[Question], least: float = 0.0) -> list[Reply]:
    """One reply a question; below the confidence `least` a person should answer a label task.

    A number is answered with the ends of its interval as choices, a ranking with its items, one a line.
    Raises SettingsError when the model cannot do what the task's kind asks for.
    """
    return BY_KIND[kind](answers, questions, least) if questions else []


def _labels(answers: Answers, questions: Sequence[Question], least: float) -> list[Reply]:
    if not isinstance(answers, Labelling):
        raise _unable(answers, "chooses no labels")
    return replies(answers.labels, answers.probabilities([q.text for q in questions]), least)


def _numbers(answers: Answers, questions: Sequence[Question], least: float) -> list[Reply]:
    del least
    if not isinstance(answers, Estimating):
        raise _unable(answers, "says no numbers")
    found = answers.estimates([q.text for q in questions])
    return [_number(*row) for row in found.tolist()]


def _number(value: float, low: float, high: float) -> Reply:
    """What the model does not know (nan) a person should answer."""
    return Reply() if isnan(value) else Reply(f"{value:.6g}", SURE, (f"{low:.6g}", f"{high:.6g}"))


def _rankings(answers: Answers, questions: Sequence[Question], least: float) -> list[Reply]:
    del least
    if not isinstance(answers, Ranking):
        raise _unable(answers, "orders no items")
    found = answers.best([asked(q) for q in questions], ITEMS)
    return [_ranking(tuple(item for item, _ in best)) for best in found]


def explored(answers: Exploring, questions: Sequence[Question]) -> list[Reply]:
    """Rankings that were drawn, each with the chance that it had, so that others can be judged by it."""
    found = answers.drawn([asked(q) for q in questions], ITEMS, randbits(63))
    return [_ranking(tuple(d.item for d in drawn), prod(d.propensity for d in drawn)) for drawn in found]


def _ranking(items: tuple[str, ...], propensity: float = 1.0) -> Reply:
    return Reply("\n".join(items), SURE, items, propensity)


def _texts(answers: Answers, questions: Sequence[Question], least: float) -> list[Reply]:
    del least
    if not isinstance(answers, Writing):
        raise _unable(answers, "writes no texts")
    chats = [[{"role": "user", "content": q.text}] for q in questions]
    return [Reply(text, SURE) for text in answers.write(chats)]


BY_KIND: Mapping[str, Replies] = {"label": _labels, "number": _numbers, "rank": _rankings, "text": _texts}


def asked(question: Question) -> Asked:
    """What a ranking is asked: plain words, or a JSON object with "text" and "session" (items, in order)."""
    if question.text.lstrip().startswith("{"):
        try:
            said = msgspec.json.decode(question.text, type=_Said)
        except msgspec.DecodeError:
            return Asked(question.text, question.subject)
        return Asked(said.text, question.subject, said.session)
    return Asked(question.text, question.subject)


class _Said(Struct, forbid_unknown_fields=True):
    text: str = ""
    session: tuple[str, ...] = ()


def _unable(answers: Answers, what: str) -> SettingsError:
    return SettingsError(
        f"the model is a {type(answers).__name__}, which {what}: give the task another kind, or a trainer"
        " that can teach it (see: flywheel plugins customize)"
    )
