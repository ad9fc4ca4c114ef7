"""Who asks for a person, or is handed to one, was not helped by the answer before."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from openflywheel.base.nouns import Exchange, Signal
from openflywheel.signals import Episode, derived

WORDS = (
    "a human", "human agent", "human being", "real person", "live agent", "actual person", "live person",
    "speak to someone", "talk to someone", "speak to a person", "talk to a person", "speak with a person",
    "talk with a person", "speak to an agent", "talk to an agent", "your manager", "your supervisor",
    "einen menschen", "einem menschen", "echten menschen", "mit einem mitarbeiter", "ihren vorgesetzten",
    "un humain", "une vraie personne", "un conseiller", "una persona real", "un agente humano",
    "hablar con una persona", "hablar con alguien",
)  # fmt: skip


def escalation(episode: Episode, *, words: tuple[str, ...] = WORDS) -> Iterator[Signal]:
    """A signal about the last answer before somebody asked for a person, or before one took over.

    Its value is -1 when the user asked (a message has one of `words`) or the outcome "escalated" was told,
    and -0.5 when the flywheel handed over by itself. The first message of a conversation follows no answer.
    """
    answer: Exchange | None = None
    for exchange in episode.exchanges:
        if answer and _asks(exchange.input, words):
            yield derived(answer, "escalation", -1.0)
        elif answer and not exchange.output:
            yield derived(answer, "escalation", -0.5)
        answer = exchange if exchange.output else None
        if answer and _told(episode.heard.get(answer.id, ())):
            yield derived(answer, "escalation", -1.0)
    if answer and _told(episode.heard.get(answer.episode, ())):
        yield derived(answer, "escalation", -1.0)


def _asks(text: str, words: tuple[str, ...]) -> bool:
    return bool(_pattern(words).search(text.casefold()))


@lru_cache(16)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(w.casefold()) for w in words) or '(?!)'})(?!\w)")


def _told(signals: Sequence[Signal]) -> bool:
    return any(s.explicit and s.outcome == "escalated" for s in signals)
