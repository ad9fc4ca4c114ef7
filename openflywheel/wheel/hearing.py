"""What people say outright about an exchange, or a whole episode, as Signals."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError, UnknownExchange
from openflywheel.base.ids import content_id
from openflywheel.base.nouns import Call, Exchange, Signal, Verdict
from openflywheel.base.settings import Task
from openflywheel.store import Store
from openflywheel.store.group_commit import Statement
from openflywheel.wheel.said import Said, block, moment, outcome, rating

Detect = Callable[[str], tuple[str, tuple[Verdict, ...]]]

MOST = 1_000  # things said in one call
LABEL = 200  # characters of a label: what is longer is an answer to a task that writes texts
WRITTEN = ("comment", "correction", "demonstration", "label")  # what guards look at


class Heard(Struct, frozen=True):
    """What is to be kept together: the signals, and the statements that close questions to experts."""

    signals: list[Signal]
    statements: list[Statement]


def hear(
    store: Store, tasks: Mapping[str, Task], detect: Detect, said: Sequence[Said], *, key: str = ""
) -> Heard:
    """Everything that was said, as it is to be kept: all of it or, if one thing is wrong, nothing.

    `key` is the id of the API key that says it. An error names the place in `said`, if it holds several.
    Raises UnknownExchange, SettingsError.
    """
    if len(said) > MOST:
        raise SettingsError(f"{len(said)} signals in one call; send at most {MOST}")
    out: dict[str, Signal] = {}
    for place, one in enumerate(said):
        try:
            for signal in _signals(store, tasks, detect, one, key):
                out[signal.id] = _once(signal, one, out, store)
        except (SettingsError, UnknownExchange) as error:
            if len(said) == 1:
                raise
            raise type(error)(f"signals[{place}]: {error}") from None
    closes = [store.experts.answered(s.exchange) for s in out.values() if s.kind == "label"]
    return Heard(list(out.values()), closes)


def _signals(
    store: Store, tasks: Mapping[str, Task], detect: Detect, said: Said, key: str
) -> Iterator[Signal]:
    """One Signal for each thing that was said."""
    at, network, said = moment(said, time.time()), block(said), _guarded(said, detect)
    exchange, whole = _about(store, said)
    common = {
        "episode": exchange.episode,
        "task": exchange.task,
        "subject": store.key_of(said.subject) or exchange.subject,
        "source": said.source,
        "explicit": True,
        "key": key,
        "network": store.key_of(f"network:{network}") if network else "",
    }
    things = [*_opinions(said, exchange, whole), *_answers(said, exchange, tasks, store)]
    if not things:
        raise SettingsError(
            "a signal needs one of: rating, stars, outcome, comment, correction, demonstration, choice, label"
        )
    for fields in things:
        yield _named(Signal(**{**common, **fields}), said, at)


def _about(store: Store, said: Said) -> tuple[Exchange, bool]:
    """The exchange that it is about; or the newest one of the episode, and that it is about all of it."""
    if name := said.exchange or (said.choice if said.over else ""):
        exchange = find(store, name)
        if said.episode and exchange.episode != said.episode:
            raise SettingsError(f"exchange {name!r} is not in the episode {said.episode!r}")
        return exchange, False
    if not said.episode:
        raise SettingsError("a signal needs an exchange, or an episode, that it is about")
    ids = store.journal.named(Exchange, said.episode)
    if not ids:
        raise UnknownExchange(f"there is no episode {said.episode!r}")
    return store.get(Exchange, ids[-1:])[ids[-1]], True


def find(store: Store, name: str) -> Exchange:
    """An exchange by our id, or by the id that the provider gave its answer. Raises UnknownExchange.

    Raises SettingsError when several answers have the provider's id.
    """
    found = store.get(Exchange, [name])
    if not found:
        ids = store.journal.named(Call, name)
        if len(ids) > 1:
            raise SettingsError(f"{len(ids)} exchanges have the answer {name!r}; name one: {', '.join(ids)}")
        found = store.get(Exchange, ids)
    if not found:
        raise UnknownExchange(f"there is no exchange {name!r}")
    return next(iter(found.values()))


def _opinions(said: Said, exchange: Exchange, whole: bool) -> Iterator[dict[str, Any]]:
    """What can be said of an exchange as of a whole episode."""
    about = {"exchange": "" if whole else exchange.id}
    if (value := rating(said)) is not None:
        yield {**about, "kind": "rating", "value": value}
    if (value := outcome(said)) is not None:
        yield {**about, "kind": "outcome", "value": value, "outcome": said.outcome}
    if said.comment:
        yield {**about, "kind": "comment", "value": 0.0, "comment": said.comment}


def _answers(
    said: Said, exchange: Exchange, tasks: Mapping[str, Task], store: Store
) -> Iterator[dict[str, Any]]:
    """What would have been right: of an episode, it is about the answer that stood at its end."""
    about, label = {"exchange": exchange.id}, exchange.task in tasks and tasks[exchange.task].kind == "label"
    if said.label and said.source != "expert":
        raise SettingsError(
            f"a label needs the source 'expert', not {said.source!r}; users give a correction"
        )
    for kind in ("correction", "demonstration", "label"):
        if right := getattr(said, kind):
            if label and (len(right) > LABEL or len(right.splitlines()) > 1):
                raise SettingsError(
                    f"{kind}: task {exchange.task!r} wants a label, one line of at most {LABEL}"
                )
            value = 0.0 if kind == "demonstration" and not label else -1.0
            yield {**about, "kind": kind, "value": _agrees(exchange, right, value), "correction": right}
    if said.over:
        yield {**about, "kind": "choice", "value": 1.0, "over": _not_chosen(said, exchange, store)}
    elif said.choice:
        if said.choice not in (*exchange.choices, exchange.output):
            offered = ", ".join(exchange.choices) or "nothing"
            raise SettingsError(f"choice = {said.choice!r} was not offered; offered was: {offered}")
        value = _agrees(exchange, said.choice, -1.0)
        yield {**about, "kind": "choice", "value": value, "correction": said.choice}


def _not_chosen(said: Said, exchange: Exchange, store: Store) -> tuple[str, ...]:
    others = tuple(dict.fromkeys(find(store, name).id for name in said.over))
    if exchange.id in others or (said.choice and find(store, said.choice).id != exchange.id):
        raise SettingsError(f"choice = {said.choice!r} must be one exchange, `over` the others")
    return others


def _agrees(exchange: Exchange, right: str, otherwise: float) -> float:
    """1 when the answer was right, 0 when none was given."""
    return 0.0 if not exchange.output else 1.0 if exchange.output == right else otherwise


def _guarded(said: Said, detect: Detect) -> Said:
    """The same, with what people wrote as the guards let it pass. Raises SettingsError."""
    passed = {}
    for name in WRITTEN:
        if text := getattr(said, name):
            passed[name], verdicts = detect(text)
            if no := [v for v in verdicts if v.passed == "no"]:
                found = "; ".join(f"{v.check}: {v.reason}" for v in no)
                raise SettingsError(f"{name} was refused by the guards ({found}); leave that out")
    return replace(said, **passed)


def _named(signal: Signal, said: Said, at: float | None) -> Signal:
    """With its moment; named by the client's own id, else by content and moment, else by content."""
    id = signal.id
    if said.id:
        id = content_id(
            "said", said.id, signal.key, signal.subject, said.exchange or said.episode, signal.kind
        )
    elif at is not None:
        id = content_id(signal.id, repr(at))
    return replace(signal, id=id, at=signal.at if at is None else at)


def _once(signal: Signal, said: Said, out: Mapping[str, Signal], store: Store) -> Signal:
    """The signal as it was kept under the client's id before. Raises SettingsError if it said otherwise."""
    if not said.id:
        return signal
    before = out.get(signal.id) or store.get(Signal, [signal.id]).get(signal.id, signal)
    if replace(before, at=signal.at) != signal:
        raise SettingsError(f"id = {said.id!r} was used before, for another {signal.kind} of this exchange")
    return before
