"""Conversations as objects of JSON: OpenAI's messages, ShareGPT, ABCD (Chen et al. 2021, NAACL)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from openflywheel.base.ids import content_id
from openflywheel.base.nouns import Drop
from openflywheel.collect._chat.conversation import Conversation, Turn
from openflywheel.collect._rows.path import at
from openflywheel.collect._rows.record import shown

INSTRUCTING = frozenset({"system", "developer"})
NAMES = {
    "human": "user",
    "gpt": "assistant",
    "bing": "assistant",
    "chatgpt": "assistant",
    "observation": "tool",
}

Row = Mapping[str, Any]


def conversations(found: Any, form: str, label: str, person: str) -> Iterator[Conversation | Drop]:
    """What an object of a log holds: a conversation, or lists of them by the names of their parts."""
    for row in _inside(found):
        name = recognised(row)
        if name and form in ("", name):
            yield FORMS[name](row, label, person)
        else:
            yield row if isinstance(row, Drop) else Drop("no conversation in a known form")


def _inside(found: Any) -> list[Any]:
    """The object itself, or the rows of the lists in it."""
    parts = found.values() if isinstance(found, Mapping) and not recognised(found) else ()
    rows = [row for part in parts if isinstance(part, list) for row in part]
    return rows if any(map(recognised, rows)) else [found]


def recognised(row: Any) -> str:
    """The form of an object, "" when it is none that is known."""
    found = (
        name for name, key in KEYS.items() if isinstance(row, Mapping) and isinstance(row.get(key), list)
    )
    return next(found, "")


def _openai(row: Row, label: str, person: str) -> Conversation:
    messages = [m for m in row["messages"] if isinstance(m, Mapping)]
    return _conversation(
        row,
        [(shown(m.get("role")), _said(m), m) for m in messages],
        label=label or "intent",
        person=person or "user",
    )


def _sharegpt(row: Row, label: str, person: str) -> Conversation:
    said = [m for m in row["conversations"] if isinstance(m, Mapping)]
    turns = [(NAMES.get(shown(m.get("from")), shown(m.get("from"))), shown(m.get("value")), m) for m in said]
    turns.insert(0, ("system", shown(row.get("system")), {}))
    return _conversation(row, turns, label=label or "intent", person=person)


def _abcd(row: Row, label: str, person: str) -> Conversation:
    said = [m for m in row["original"] if isinstance(m, list) and len(m) == 2]
    facts = {"flow": shown(at(row, "scenario.flow")), "subflow": shown(at(row, "scenario.subflow"))}
    return _conversation(
        row,
        [(shown(who), shown(text), {}) for who, text in said],
        label=label or "scenario.subflow",
        person=person or "scenario.personal.email",
        facts=facts,
    )


def _conversation(
    row: Row,
    said: list[tuple[str, str, Row]],
    *,
    label: str,
    person: str,
    facts: Mapping[str, str] | None = None,
) -> Conversation:
    """What instructs the model stands apart from what was said."""
    turns = [
        Turn(who=who, text=text, label=_label(m, label)) for who, text, m in said if who not in INSTRUCTING
    ]
    asker = at(row, person) if person else None
    return Conversation(
        id=_id(row),
        turns=tuple(turns),
        system="\n".join(text for who, text, _ in said if who in INSTRUCTING and text),
        label=_label(row, label),
        person=shown(asker) if isinstance(asker, str | int) else "",
        facts=facts or {},
    )


def _id(row: Row) -> str:
    """The log's own name of a conversation, or else a hash of it: a place in a file would change."""
    named = next((shown(row[k]) for k in ("id", "conversation_id", "convo_id") if row.get(k)), "")
    return named or content_id(shown(row))[:12]


def _label(row: Row, path: str) -> str:
    found = at(row, path)
    return shown(found) if isinstance(found, str | int) else ""


def _said(message: Row) -> str:
    """A message as text: its parts, what it refuses, the tools that it calls."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    calls = message.get("tool_calls")
    functions = [at(call, "function") for call in calls] if isinstance(calls, list) else []
    called = [f for f in (*functions, message.get("function_call")) if isinstance(f, Mapping)]
    said = [*map(_part, parts), shown(message.get("refusal")), *map(_call, called)]
    return "\n".join(text for text in said if text)


def _part(part: Any) -> str:
    if not isinstance(part, Mapping):
        return shown(part)
    return shown(part["text"]) if "text" in part else f"[{shown(part.get('type')) or 'part'}]"


def _call(function: Row) -> str:
    return f"[calls {shown(function.get('name'))} {shown(function.get('arguments'))}]"


KEYS = {"openai": "messages", "sharegpt": "conversations", "abcd": "original"}
FORMS: dict[str, Callable[[Row, str, str], Conversation]] = {
    "openai": _openai,
    "sharegpt": _sharegpt,
    "abcd": _abcd,
}
